#include "tools/units.h"

#include <stddef.h>
#include <string.h>

const char *units_of(const char *key)
{
    static const char *const units[][2] = {
        {"power", " W"},
        {"voltage", " V"},
        {"current", " A"},
        {"energy", " kWh"},
        {"energy_today", " kWh"},
        {"energy_month", " kWh"},
        {"temperature", " \u00b0C"},
        {"target_temperature", " \u00b0C"},
        {"target_temperature_cool", " \u00b0C"},
        {"min_temperature", " \u00b0C"},
        {"max_temperature", " \u00b0C"},
        {"calibration", " \u00b0C"},
        {"dead_zone", " \u00b0C"},
        {"humidity", " %"},
        {"battery", " %"},
        {"filter_life", " %"},
        {"brightness", " %"},
        {"position", " %"},
        {"signal", " %"},
        {"distance", " m"},
        {"light", " lx"},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(key, units[i][0]) == 0)
            return units[i][1];
    return "";
}
