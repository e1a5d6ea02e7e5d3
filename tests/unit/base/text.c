/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Spans, buffers, addresses, times, ids and log lines. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hop.h"
#include "base/id.h"
#include "base/log.h"
#include "base/net.h"
#include "tests/unit/suite.h"

START_TEST(span_numbers)
{
	static const struct { const char *text; unsigned long long max; bool ok;
	    unsigned long long want; } rows[] = {
		{ "0", 10, true, 0 }, { "10", 10, true, 10 },
		{ "11", 10, false, 0 }, { "", 10, false, 0 },
		{ "1x", 10, false, 0 }, { "-1", 10, false, 0 },
		{ "9", 5, false, 0 },
		{ "18446744073709551615", ~0ull, true, ~0ull },
		{ "18446744073709551616", ~0ull, false, 0 },
		{ "99999999999999999999999", ~0ull, false, 0 },
	};

	for (int i = 0; i < NELEM(rows); i++) {
		unsigned long long v = 0;
		bool ok = span_u64(span_str(rows[i].text), rows[i].max, &v);

		ck_assert_msg(ok == rows[i].ok, "%s", rows[i].text);
		if (ok)
			ck_assert_uint_eq(v, rows[i].want);
	}
}
END_TEST

START_TEST(span_pieces)
{
	struct span rest = SPAN_LIT("a:b::c"), part;
	char small[3];

	part = span_cut(&rest, ':');
	ck_assert(span_eq(part, SPAN_LIT("a")));
	part = span_cut(&rest, ':');
	ck_assert(span_eq(part, SPAN_LIT("b")));
	part = span_cut(&rest, ':');
	ck_assert(span_eq(part, SPAN_NONE));
	part = span_cut(&rest, ':');
	ck_assert(span_eq(part, SPAN_LIT("c")));
	ck_assert_uint_eq(rest.n, 0);
	ck_assert(span_ieq(SPAN_LIT("StartTLS"), SPAN_LIT("STARTTLS")));
	ck_assert(!span_ieq(SPAN_LIT("a"), SPAN_LIT("ab")));
	ck_assert(span_eq(span_trim(SPAN_LIT(" \t x \t")), SPAN_LIT("x")));
	ck_assert_int_lt(span_cmp(SPAN_LIT("a"), SPAN_LIT("aa")), 0);
	ck_assert(!span_copy(SPAN_LIT("abc"), small, sizeof small));
	ck_assert_str_eq(small, "ab");
	ck_assert(!span_copy(span_of("a\0b", 3), (char[8]){ 0 }, 8));
}
END_TEST

START_TEST(buf_bounds)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_int_eq(buf_add(&b, "12345", 5), 0);
	ck_assert_int_eq(buf_printf(&b, "%d", 678), 0);
	ck_assert_str_eq(buf_cstr(&b), "12345678");
	ck_assert_int_eq(buf_str(&b, "xyz"), -1);	/* 11 > 10 */
	ck_assert(b.failed);
	ck_assert_int_eq(buf_str(&b, "x"), -1);		/* stays failed */
	ck_assert_uint_eq(b.len, 8);			/* nothing half added */
	buf_reset(&b);
	ck_assert_int_eq(buf_str(&b, "0123456789"), 0);
	buf_consume(&b, 4);
	ck_assert_int_eq(buf_str(&b, "abcd"), 0);
	ck_assert_str_eq(buf_cstr(&b), "456789abcd");
	buf_free(&b);
	ck_assert_str_eq(buf_cstr(&b), "");
}
END_TEST

/* Small pieces in and out of a buffer that stays nearly full: linear. */
START_TEST(buf_nearly_full)
{
	struct buf b;
	uint64_t t = clock_steady_ms();

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		buf_char(&b, 'x');
	for (int i = 0; i < 1 << 20; i++) {
		buf_consume(&b, 1);
		buf_char(&b, 'y');
	}
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, 1 << 20);
	ck_assert_uint_lt(clock_steady_ms() - t, 2000);	/* quadratic: minutes */
	buf_free(&b);
}
END_TEST

/* A queue that is filled and emptied for long keeps its bytes in order and
 * its memory small, whatever the sizes of the pieces. */
START_TEST(buf_as_queue)
{
	struct buf b;
	unsigned in = 0, out = 0, seed = 7, bad = 0;

	buf_init(&b, 1 << 20);
	for (int round = 0; round < 20000; round++) {
		unsigned n = (seed = seed * 1103515245u + 12345u) >> 16 & 127;

		for (unsigned i = 0; i < n; i++)
			bad += buf_char(&b, (char)in++) != 0;
		n = (seed = seed * 1103515245u + 12345u) >> 16 & 127;
		n = n < b.len ? n : (unsigned)b.len;
		for (unsigned i = 0; i < n; i++)
			bad += buf_get(&b).p[i] != (char)out++;
		buf_consume(&b, n);
	}
	ck_assert_uint_eq(bad, 0);	/* once: a check per byte takes seconds */
	ck_assert_uint_eq(in - out, b.len);
	ck_assert_uint_le(b.cap, 1 << 16);
	buf_free(&b);
}
END_TEST

/* RFC 4648 sec 10, and what is no base64. */
START_TEST(base64_texts)
{
	static const struct { const char *bytes, *text; } good[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};
	static const char *const bad[] = { "Zg=", "Zg", "Z", "Zh==", "Zm9=",
	    "====", "=Zg=", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm-_" };
	struct buf b;

	for (int i = 0; i < NELEM(good); i++) {
		buf_init(&b, 100);
		ck_assert_int_eq(base64_put(&b, span_str(good[i].bytes)), 0);
		ck_assert(span_eq(buf_get(&b), span_str(good[i].text)));
		buf_reset(&b);
		ck_assert_int_eq(base64_get(&b, span_str(good[i].text)), 0);
		ck_assert(span_eq(buf_get(&b), span_str(good[i].bytes)));
		buf_free(&b);
	}
	for (int i = 0; i < NELEM(bad); i++) {
		buf_init(&b, 100);
		ck_assert_msg(base64_get(&b, span_str(bad[i])) == -1, "%s",
		    bad[i]);
		ck_assert_uint_eq(b.len, 0);
		buf_free(&b);
	}
}
END_TEST

START_TEST(net_addresses)
{
	static const struct { const char *text, *want; uint16_t port; } rows[] = {
		{ "192.0.2.1:25", "192.0.2.1:25", 0 },
		{ "[192.0.2.1]:25", "192.0.2.1:25", 0 },
		{ "[2001:db8::1]:25", "[2001:db8::1]:25", 0 },
		{ "[::ffff:192.0.2.1]:25", "192.0.2.1:25", 0 },	/* one spelling */
		{ "::1", "[::1]:25", 25 }, { "192.0.2.1", "192.0.2.1:25", 25 },
		{ "[::1]", "[::1]:7", 7 },
		{ "192.0.2.1", NULL, 0 }, { "192.0.2.1:", NULL, 25 },
		{ "192.0.2.1:0", NULL, 0 }, { "192.0.2.1:65536", NULL, 0 },
		{ "[::1", NULL, 25 }, { "[::1]25", NULL, 25 },
		{ "[::1]:", NULL, 25 }, { "", NULL, 25 }, { "[]:25", NULL, 0 },
		{ "example.org:25", NULL, 0 }, { "1.2.3:25", NULL, 0 },
	};

	for (int i = 0; i < NELEM(rows); i++) {
		struct addr a;
		char text[ADDR_TEXT_SIZE];
		bool ok = addr_parse(span_str(rows[i].text), rows[i].port, &a);

		ck_assert_msg(ok == (rows[i].want != NULL), "%s", rows[i].text);
		if (ok)
			ck_assert_str_eq(addr_text(&a, text), rows[i].want);
	}
}
END_TEST

START_TEST(net_prefixes)
{
	static const struct { const char *prefix, *ip; bool has; } rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
	};
	struct prefix p;

	for (int i = 0; i < NELEM(rows); i++) {
		struct addr a;

		ck_assert(prefix_parse(span_str(rows[i].prefix), &p));
		ck_assert(addr_parse_ip(span_str(rows[i].ip), &a));
		ck_assert_msg(prefix_has(&p, &a) == rows[i].has, "%s %s",
		    rows[i].prefix, rows[i].ip);
	}
	ck_assert(!prefix_parse(SPAN_LIT("192.0.2.0/33"), &p));
	ck_assert(!prefix_parse(SPAN_LIT("192.0.2.0/"), &p));
	ck_assert(!prefix_parse(SPAN_LIT("x/8"), &p));
}
END_TEST

START_TEST(net_special)
{
	static const struct { const char *ip; bool special; } rows[] = {
		{ "127.0.0.1", true }, { "10.1.2.3", true },
		{ "172.31.255.255", true }, { "172.32.0.1", false },
		{ "169.254.169.254", true }, { "0.0.0.0", true },
		{ "224.0.0.1", true }, { "255.255.255.255", true },
		{ "8.8.8.8", false }, { "::", true }, { "::1", true },
		{ "fe80::1", true }, { "fd00::1", true }, { "ff02::1", true },
		{ "::ffff:127.0.0.1", true }, { "::127.0.0.1", true },
		{ "2002:7f00:1::", true }, { "64:ff9b::a00:1", true },
		{ "64:ff9b::808:808", false }, { "2600::1", false },
	};

	for (int i = 0; i < NELEM(rows); i++) {
		struct addr a;

		ck_assert(addr_parse_ip(span_str(rows[i].ip), &a));
		ck_assert_msg(addr_is_special(&a) == rows[i].special, "%s",
		    rows[i].ip);
	}
}
END_TEST

START_TEST(clock_texts)
{
	char out[CLOCK_RFC3339_SIZE], mail[CLOCK_RFC5322_SIZE];
	static const struct { const char *text; uint64_t want; } rows[] = {
		{ "2026-01-02", 1767312000000 },
		{ "2026-01-02T03:04", 1767323040000 },
		{ "2026-01-02T03:04:05Z", 1767323045000 },
		{ "7d", 10000000000 - 604800000 }, { "90s", 10000000000 - 90000 },
		{ "", 0 }, { "7", 0 }, { "7y", 0 }, { "-7d", 0 },
		{ "2026-13-01", 0 }, { "2026-01-02T", 0 },
		{ "2026-01-02T03:04:05+01", 0 },
	};
	static const struct { uint64_t ms; const char *text; } days[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782400000, "2000-02-29T00:00:00Z" },
		{ 951868799000, "2000-02-29T23:59:59Z" },
		{ 1709164800000, "2024-02-29T00:00:00Z" },
		{ 1735689599000, "2024-12-31T23:59:59Z" },
		{ 1735689600000, "2025-01-01T00:00:00Z" },
		{ 4107542399000, "2100-02-28T23:59:59Z" },
		{ 4107542400000, "2100-03-01T00:00:00Z" },
		{ 253402300799000, "9999-12-31T23:59:59Z" },
	};

	clock_rfc3339(1767323045678, 1, out);
	ck_assert_str_eq(out, "2026-01-02T03:04:05.678Z");
	clock_rfc3339(1767323045678, 0, out);
	ck_assert_str_eq(out, "2026-01-02T03:04:05Z");
	for (int i = 0; i < NELEM(days); i++) {
		clock_rfc3339(days[i].ms, 0, out);
		ck_assert_str_eq(out, days[i].text);
	}
	setenv("TZ", "UTC-1", 1);
	tzset();
	clock_rfc5322(1767323045678, mail);
	ck_assert_str_eq(mail, "Fri, 2 Jan 2026 04:04:05 +0100");
	for (int i = 0; i < NELEM(rows); i++)
		ck_assert_msg(clock_parse(rows[i].text, 10000000000) ==
		    rows[i].want, "%s", rows[i].text);
	ck_assert_uint_eq(clock_parse_ahead("2h", 10000000), 17200000);
	ck_assert_uint_eq(clock_parse_ahead("2026-01-02", 10000000),
	    1767312000000);
	ck_assert_uint_eq(clock_parse_ahead("soon", 10000000), 0);
}
END_TEST

START_TEST(ids)
{
	char a[ID_SIZE], b[ID_SIZE], later[ID_SIZE];

	id_make(1767323045678, a);
	id_make(1767323045678, b);
	id_make(1767323045679, later);
	ck_assert(id_valid(span_str(a)));
	ck_assert_str_ne(a, b);
	/* the same millisecond shares its first 45 bits */
	ck_assert_int_eq(memcmp(a, b, 9), 0);
	ck_assert_int_ne(memcmp(a, later, 10), 0);
	ck_assert(!id_valid(SPAN_LIT("abc")));
	ck_assert(!id_valid(SPAN_LIT("abcdefghijklmno1")));
	ck_assert(!id_valid(SPAN_LIT("ABCDEFGHIJKLMNOP")));
}
END_TEST

START_TEST(levels)
{
	enum level l;

	for (int i = 0; i < LEVEL_COUNT; i++) {
		ck_assert(level_parse(span_str(level_name((enum level)i)), &l));
		ck_assert_int_eq(l, i);
	}
	ck_assert(!level_parse(SPAN_LIT("CLEAR"), &l));
	for (int i = 0; i < WHY_COUNT; i++)
		ck_assert_ptr_nonnull(why_name((enum why)i));
	for (int i = 0; i < HOW_COUNT; i++)
		ck_assert_ptr_nonnull(how_name((enum how)i));
}
END_TEST

/* ---- log lines ---- */

static size_t
logged(enum log_format format, struct span text, char *out, size_t size)
{
	int fds[2], old = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_open("test", format);
	log_info("event", KV_SPAN("w", text), KV_QSPAN("q", text),
	    KV_ADDR("a", text), KV_N("n", -5), KV_SEC("s", 1234));
	dup2(old, STDERR_FILENO);
	close(old);
	close(fds[1]);
	n = read(fds[0], out, size - 1);
	close(fds[0]);
	ck_assert_int_gt(n, 0);
	out[n] = '\0';
	return (size_t)n;
}

START_TEST(log_shapes)
{
	char line[4096];

	logged(LOG_LOGFMT, SPAN_LIT("x"), line, sizeof line);
	ck_assert_str_eq(line + 25, "test event w=x q=\"x\" a=<x> n=-5 s=1.234\n");
	logged(LOG_LOGFMT, SPAN_NONE, line, sizeof line);
	ck_assert_str_eq(line + 25, "test event w=- q=\"\" a=<> n=-5 s=1.234\n");
	logged(LOG_LOGFMT, SPAN_LIT("a b"), line, sizeof line);
	ck_assert_str_eq(line + 25,
	    "test event w=\"a b\" q=\"a b\" a=\"<a b>\" n=-5 s=1.234\n");
	logged(LOG_JSON, SPAN_LIT("a\"b\n"), line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line, "\"role\":\"test\",\"event\":\"event\""));
	ck_assert_ptr_nonnull(strstr(line, "\"w\":\"a\\\"b\\u000a\""));
}
END_TEST

/* Whatever byte a peer sends: one line, printable, valid UTF-8. */
START_TEST(log_every_byte)
{
	char text[3] = { 'a', (char)_i, 'b' }, line[4096];
	size_t n;

	for (int f = 0; f < 2; f++) {
		n = logged(f == 0 ? LOG_LOGFMT : LOG_JSON, span_of(text, 3),
		    line, sizeof line);
		for (size_t i = 0; i + 1 < n; i++)
			ck_assert_msg(line[i] >= ' ' && line[i] < 0x7f,
			    "byte %d of %s", (int)i, line);
		ck_assert_int_eq(line[n - 1], '\n');
	}
}
END_TEST

START_TEST(log_utf8)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "\xc3\xa9", "\xc3\xa9" },		/* e acute stays */
		{ "\xc2\x85", "\\xc2\\x85" },		/* C1 control */
		{ "\xc0\xaf", "\\xc0\\xaf" },		/* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },	/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xe2\x82", "\\xe2\\x82" },		/* cut short */
	};
	char line[4096], want[128];

	for (int i = 0; i < NELEM(rows); i++) {
		logged(LOG_LOGFMT, span_str(rows[i].in), line, sizeof line);
		snprintf(want, sizeof want, " q=\"%s\" ", rows[i].out);
		ck_assert_msg(strstr(line, want) != NULL, "%s", line);
	}
}
END_TEST

START_TEST(log_long_value)
{
	static char text[100000], line[65536];

	memset(text, 'x', sizeof text);
	ck_assert_uint_le(logged(LOG_LOGFMT, span_of(text, sizeof text), line,
	    sizeof line), 16384);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base text");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, span_numbers);
	tcase_add_test(tc, span_pieces);
	tcase_add_test(tc, buf_bounds);
	tcase_add_test(tc, buf_as_queue);
	tcase_add_test(tc, buf_nearly_full);
	tcase_add_test(tc, base64_texts);
	tcase_add_test(tc, net_addresses);
	tcase_add_test(tc, net_prefixes);
	tcase_add_test(tc, net_special);
	tcase_add_test(tc, clock_texts);
	tcase_add_test(tc, ids);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, log_shapes);
	tcase_add_loop_test(tc, log_every_byte, 0, 256);
	tcase_add_test(tc, log_utf8);
	tcase_add_test(tc, log_long_value);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
