/* namespaces.h - what a message of a plug is about, by its full name; the only file that spells
 * them. */
#ifndef MEROSS_NAMESPACES_H
#define MEROSS_NAMESPACES_H

#define NS_ALL         "Appliance.System.All"     /* identity, clock and every state in one */
#define NS_DEBUG       "Appliance.System.Debug"   /* Wi-Fi and servers as the plug sees them */
#define NS_ABILITY     "Appliance.System.Ability" /* the namespaces a plug knows            */
#define NS_CLOCK       "Appliance.System.Clock"
#define NS_TIME        "Appliance.System.Time"
#define NS_ONLINE      "Appliance.System.Online" /* is it connected to its broker */
#define NS_BIND        "Appliance.Control.Bind"
#define NS_UNBIND      "Appliance.Control.Unbind"
#define NS_TOGGLEX     "Appliance.Control.ToggleX"
#define NS_TOGGLE      "Appliance.Control.Toggle" /* relays before ToggleX */
#define NS_CONSUMPTION "Appliance.Control.ConsumptionConfig"
#define NS_MULTIPLE    "Appliance.Control.Multiple" /* several requests in one */
#define NS_CONFIG_KEY  "Appliance.Config.Key"       /* which broker, and the key */
#define NS_ECDHE       "Appliance.Encrypt.ECDHE"    /* what comes over the LAN has to be sealed */
/* Set-up mode (tools/pairing). */
#define NS_WIFI        "Appliance.Config.Wifi"
#define NS_WIFIX       "Appliance.Config.WifiX"    /* with the password encrypted */
#define NS_WIFI_LIST   "Appliance.Config.WifiList" /* the networks a plug sees    */
#define NS_TRACE       "Appliance.Config.Trace"    /* how its last try to join went */
#define NS_ELECTRICITY "Appliance.Control.Electricity"
#define NS_SUBDEVICES  "Appliance.Hub.SubdeviceList"

/* Families of devices (meross/family). */
#define NS_DND          "Appliance.System.DNDMode"
#define NS_RUNTIME      "Appliance.System.Runtime"
#define NS_LOCK         "Appliance.Control.PhysicalLock"
#define NS_LIGHT        "Appliance.Control.Light"
#define NS_EFFECT       "Appliance.Control.Light.Effect"
#define NS_GARAGE       "Appliance.GarageDoor.State"
#define NS_GARAGE_SETUP "Appliance.GarageDoor.Config"
#define NS_DOORS_SETUP  "Appliance.GarageDoor.MultipleConfig" /* of each door */
#define NS_POSITION     "Appliance.RollerShutter.Position"
#define NS_SHUTTER      "Appliance.RollerShutter.State"
#define NS_ADJUST       "Appliance.RollerShutter.Adjust"
#define NS_BLIND_SETUP  "Appliance.RollerShutter.Config"
#define NS_MODE         "Appliance.Control.Thermostat.Mode"
#define NS_MODE_B       "Appliance.Control.Thermostat.ModeB"
#define NS_MODE_C       "Appliance.Control.Thermostat.ModeC"
#define NS_WINDOW       "Appliance.Control.Thermostat.WindowOpened"
#define NS_CALIBRATION  "Appliance.Control.Thermostat.Calibration"
#define NS_DEAD_ZONE    "Appliance.Control.Thermostat.DeadZone"
#define NS_FROST        "Appliance.Control.Thermostat.Frost"
#define NS_HOLD         "Appliance.Control.Thermostat.HoldAction"
#define NS_SENSOR       "Appliance.Control.Thermostat.Sensor"
#define NS_SUMMER       "Appliance.Control.Thermostat.SummerMode"
#define NS_OVERHEAT     "Appliance.Control.Thermostat.Overheat"
#define NS_SCHEDULE     "Appliance.Control.Thermostat.Schedule"
#define NS_SCHEDULE_B   "Appliance.Control.Thermostat.ScheduleB"
#define NS_THERMO_TIMER "Appliance.Control.Thermostat.Timer"
#define NS_THERMO_ALARM "Appliance.Control.Thermostat.Alarm"
#define NS_SPRAY        "Appliance.Control.Spray"
#define NS_DIFF_SPRAY   "Appliance.Control.Diffuser.Spray"
#define NS_DIFF_LIGHT   "Appliance.Control.Diffuser.Light"
#define NS_DIFF_SENSOR  "Appliance.Control.Diffuser.Sensor"
#define NS_FAN          "Appliance.Control.Fan"
#define NS_FILTER       "Appliance.Control.FilterMaintenance"
#define NS_SCREEN       "Appliance.Control.Screen.Brightness"
#define NS_TEMP_UNIT    "Appliance.Control.TempUnit"
#define NS_MP3          "Appliance.Control.Mp3"
#define NS_LATEST       "Appliance.Control.Sensor.LatestX"
#define NS_OVERTEMP     "Appliance.Control.OverTemp" /* it is too hot, or no more */
#define NS_HOT_SETUP    "Appliance.Config.OverTemp"  /* what it does then         */
#define NS_ALARM        "Appliance.Control.Alarm"
#define NS_ALERT        "Appliance.Control.AlertReport"
#define NS_STANDBY      "Appliance.Config.StandbyKiller"
#define NS_HUB_ONLINE   "Appliance.Hub.Online"
#define NS_HUB_BATTERY  "Appliance.Hub.Battery"
#define NS_HUB_TOGGLEX  "Appliance.Hub.ToggleX"
#define NS_VALVE_ALL    "Appliance.Hub.Mts100.All"
#define NS_VALVE_MODE   "Appliance.Hub.Mts100.Mode"
#define NS_VALVE_TEMP   "Appliance.Hub.Mts100.Temperature"
#define NS_VALVE_PLAN   "Appliance.Hub.Mts100.ScheduleB"
#define NS_SENSOR_ALL   "Appliance.Hub.Sensor.All"
#define NS_TEMP_HUM     "Appliance.Hub.Sensor.TempHum"
#define NS_SUB_LATEST   "Appliance.Hub.Sensor.Latest"
#define NS_DOOR_WINDOW  "Appliance.Hub.Sensor.DoorWindow"
#define NS_SMOKE        "Appliance.Hub.Sensor.Smoke"
#define NS_WATER_LEAK   "Appliance.Hub.Sensor.WaterLeak"
#define NS_MOTION       "Appliance.Hub.Sensor.Motion"
/* What plugs do by themselves. */
#define NS_TIMERX          "Appliance.Control.TimerX"
#define NS_TRIGGERX        "Appliance.Control.TriggerX"
#define NS_DIGEST_TIMERX   "Appliance.Digest.TimerX"
#define NS_DIGEST_TRIGGERX "Appliance.Digest.TriggerX"
/* Power and energy. */
#define NS_ELECTRICITYX "Appliance.Control.ElectricityX" /* asked for and answered by PUSH */
#define NS_CONSUMPTIONX "Appliance.Control.ConsumptionX" /* by local day  */
#define NS_CONSUMPTIONH "Appliance.Control.ConsumptionH" /* by hour       */

#endif
