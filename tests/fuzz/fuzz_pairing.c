/* What plugs and programs say while a plug is set up: the lists of networks, System.All, Ability, the
 * topic in `from`; and what is written of a network is JSON that holds what came. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "tools/pairing/join.h"
#include "tools/pairing/networks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_programs(struct span text)
{
    struct join j = {.n = 0};
    join_read_nmcli(&j, text);
    MD_ASSERT(j.n <= JOIN_OFFERS);
    for (unsigned i = 0; i < j.n; i++)
        MD_ASSERT(join_is_plug(span_str(j.offer[i].ssid)));
    join_read_iw(&j, text);
    MD_ASSERT(j.n <= JOIN_OFFERS);
}

static void write_back(const struct network *w, const struct about *plug)
{
    struct buf b;
    struct json j;
    buf_init(&b, NETWORKS_PAYLOAD_MAX);
    int err = network_write(&b, w, span_of(w->ssid, w->ssid_n), plug, w->signal % 2 == 0);
    if (err == MD_OK && json_parse(&j, buf_view(&b)) == MD_OK) {
        MD_ASSERT(json_exists(json_get(json_get(json_root(&j), "wifi"), "password")));
        json_free(&j);
    } else {
        MD_ASSERT(err != MD_OK); /* whatever was written is JSON */
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json j;
    struct about plug = {.cloud = 0};
    struct networks all = {.n = 0};
    char text[128];
    struct span input = span_of(data, size);
    read_programs(input);
    if (span_to_str(input, text, sizeof text))
        (void)about_read_from(&plug, text);
    if (json_parse(&j, input) != MD_OK)
        return 0;
    (void)about_read_all(&plug, json_root(&j));
    (void)about_read_ability(&plug, json_root(&j));
    if (networks_read(&all, json_root(&j)))
        for (size_t i = 0; i < all.n; i++) {
            MD_ASSERT(all.v[i].ssid_n > 0 && all.v[i].ssid_n <= NETWORKS_SSID_MAX);
            write_back(&all.v[i], &plug);
        }
    json_free(&j);
    return 0;
}
