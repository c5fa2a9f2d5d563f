/* sound.c - machines that play (sheet 5.10).  No source says how many songs there are, nor how loud
 * it gets: the device knows, and refuses what it has not. */
#include "meross/family/family_int.h"

static void take_mp3(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "song"), FACT_SONG, 0);
    family_number(at, json_get(e, "volume"), FACT_VOLUME, 0);
    family_flag(at, json_get(e, "mute"), FACT_MUTE);
}

/* Only what is wished for: a song that is named again might begin again. */
static void write_mp3(struct json_writer *w, const struct family_ask *ask)
{
    if (family_wishes(ask, FACT_SONG))
        json_write_pair_int(w, "song", family_wish(ask, FACT_SONG, 0));
    if (family_wishes(ask, FACT_VOLUME))
        json_write_pair_int(w, "volume", family_wish(ask, FACT_VOLUME, 0));
    if (family_wishes(ask, FACT_MUTE))
        json_write_pair_int(w, "mute", family_wish(ask, FACT_MUTE, 0));
}

static const struct family_key mp3_keys[] = {
    {.name = FACT_SONG, .kind = FACT_NUMBER, .min = 0, .max = 255},
    {.name = FACT_VOLUME, .kind = FACT_NUMBER, .min = 0, .max = 255},
    {.name = FACT_MUTE, .kind = FACT_BOOL},
    {.name = NULL}};

const struct family_row *family_of_sound(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_MP3,
         .key = "mp3",
         .by = FAMILY_BY_DEVICE,
         .take = take_mp3,
         .keys = mp3_keys,
         .write = write_mp3},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}
