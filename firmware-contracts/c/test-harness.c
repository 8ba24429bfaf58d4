/* For the tests: one command a line on stdin, one answer a line on stdout. Every buffer has exactly the size that
   the message has, so that the sanitizer sees a byte too many. */
#include "fallvakt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 17];

static char *word(void) { return strtok(NULL, " \n"); }

static uint64_t number(void)
{
    char *text = word();
    return text ? strtoull(text, NULL, 10) : 0;
}

static int32_t signed_number(void)
{
    char *text = word();
    return text ? (int32_t)strtol(text, NULL, 10) : 0;
}

static uint8_t *hex_bytes(size_t *size)
{
    const char *text = word();
    size_t i, digits = text && strcmp(text, "-") ? strlen(text) : 0;
    uint8_t *bytes = malloc(digits / 2 + (digits == 0));
    for (i = 0; i + 1 < digits; i += 2) {
        char pair[3] = {text[i], text[i + 1], 0};
        bytes[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    *size = digits / 2;
    return bytes;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) printf("%02x", bytes[i]);
}

static int refused(fallvakt_result result)
{
    if (result != FALLVAKT_OK) printf("refused %s", fallvakt_result_name(result));
    return result != FALLVAKT_OK;
}

static void decode(void)
{
    size_t size;
    uint16_t i;
    int16_t xyz[3];
    fallvakt_frame m;
    uint8_t *bytes = hex_bytes(&size);
    if (!refused(fallvakt_frame_decode(bytes, size, &m))) {
        printf("ok %u %u %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %u %u", m.flags, m.range_g, m.boot_id, m.sequence,
               m.age_ms, m.device_time_ms, m.rate_hz_x100, m.sample_count);
        for (i = 0; i < m.sample_count; i++) {
            fallvakt_frame_get_sample(bytes, i, xyz);
            printf(" %d %d %d", xyz[0], xyz[1], xyz[2]);
        }
    }
    free(bytes);
}

static void encode(size_t missing_room)
{
    fallvakt_frame m;
    size_t i, values, size;
    int16_t *samples;
    uint8_t *out;
    m.flags = (uint8_t)number();
    m.range_g = (uint8_t)number();
    m.boot_id = (uint32_t)number();
    m.sequence = (uint32_t)number();
    m.age_ms = (uint32_t)number();
    m.device_time_ms = number();
    m.rate_hz_x100 = (uint16_t)number();
    m.sample_count = (uint16_t)number();
    values = 3u * m.sample_count;
    size = FALLVAKT_FRAME_SIZE(m.sample_count) - missing_room;
    samples = malloc(2 * values + 1);
    out = malloc(size);
    for (i = 0; i < values; i++) samples[i] = (int16_t)signed_number();
    if (!refused(fallvakt_frame_encode(&m, samples, out, size))) print_hex(out, size);
    free(samples);
    free(out);
}

static void hand_over(void)
{
    size_t size;
    uint8_t *bytes = hex_bytes(&size);
    uint32_t age = (uint32_t)number();
    fallvakt_frame_hand_over(bytes, age, (int)number());
    print_hex(bytes, size);
    free(bytes);
}

static void decode_time(void)
{
    size_t size;
    fallvakt_time m;
    uint8_t *bytes = hex_bytes(&size);
    if (!refused(fallvakt_time_decode(bytes, size, &m))) printf("ok %" PRIu32 " %" PRIu64, m.boot_id, m.wall_ms);
    free(bytes);
}

static void print_json(const char *json, size_t length)
{
    if (length) printf("%s", json);
    else printf("refused");
}

static void report(void)
{
    size_t room = (size_t)number();
    char *out = malloc(room + (room == 0));
    fallvakt_report m;
    m.boot = (uint32_t)number();
    m.seq = (uint32_t)number();
    m.t = number();
    m.age = (uint32_t)number();
    print_json(out, fallvakt_report_json(&m, out, room));
    free(out);
}

static void status(void)
{
    char out[256];
    fallvakt_status m;
    m.kind = (fallvakt_status_kind)number();
    m.boot = (uint32_t)number();
    m.t = number();
    m.battery = (int8_t)signed_number();
    m.charging = (int8_t)signed_number();
    m.worn = (int8_t)signed_number();
    m.tamper = (int8_t)signed_number();
    m.firmware = strtok(NULL, "\n");
    print_json(out, fallvakt_status_json(&m, out, sizeof out));
}

int main(void)
{
    while (fgets(line, sizeof line, stdin)) {
        const char *command = strtok(line, " \n");
        if (!command) continue;
        if (!strcmp(command, "decode")) decode();
        else if (!strcmp(command, "encode")) encode(0);
        else if (!strcmp(command, "encode-cramped")) encode(1);
        else if (!strcmp(command, "hand-over")) hand_over();
        else if (!strcmp(command, "time")) decode_time();
        else if (!strcmp(command, "report")) report();
        else if (!strcmp(command, "status")) status();
        else if (!strcmp(command, "clip")) {
            int32_t mg = signed_number();
            printf("%d", fallvakt_clip_mg(mg, (uint8_t)number()));
        } else return 2;
        putchar('\n');
    }
    return 0;
}
