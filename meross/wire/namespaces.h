/* namespaces.h - what a message of a plug is about, by its full name; the only file that spells
 * them. */
#ifndef MEROSS_NAMESPACES_H
#define MEROSS_NAMESPACES_H

#define NS_ALL         "Appliance.System.All"     /* identity, clock and every state in one */
#define NS_DEBUG       "Appliance.System.Debug"   /* Wi-Fi and servers as the plug sees them */
#define NS_ABILITY     "Appliance.System.Ability" /* the namespaces a plug knows            */
#define NS_CLOCK       "Appliance.System.Clock"
#define NS_TIME        "Appliance.System.Time"
#define NS_BIND        "Appliance.Control.Bind"
#define NS_UNBIND      "Appliance.Control.Unbind"
#define NS_TOGGLEX     "Appliance.Control.ToggleX"
#define NS_TOGGLE      "Appliance.Control.Toggle" /* relays before ToggleX */
#define NS_CONSUMPTION "Appliance.Control.ConsumptionConfig"
#define NS_MULTIPLE    "Appliance.Control.Multiple" /* several requests in one */
#define NS_CONFIG_KEY  "Appliance.Config.Key" /* which broker, and the key */
#define NS_SUBDEVICES  "Appliance.Hub.SubdeviceList"

/* Power and energy. */
#define NS_ELECTRICITY  "Appliance.Control.Electricity"
#define NS_ELECTRICITYX "Appliance.Control.ElectricityX" /* asked for and answered by PUSH */
#define NS_CONSUMPTIONX "Appliance.Control.ConsumptionX" /* by local day  */
#define NS_CONSUMPTIONH "Appliance.Control.ConsumptionH" /* by hour       */

#endif
