/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* TLSA records as text. */
#include "dane/record.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char	*host;
	uint16_t	 port;
	const char	*want;
} records[] = {
	{ "mx1.example.org", 25, "_25._tcp.mx1.example.org. IN TLSA 3 1 1 "
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "mx1.example.org.", 465, "_465._tcp.mx1.example.org. IN TLSA 3 1 1 "
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
};

START_TEST(record_rows)
{
	char out[DANE_RECORD_SIZE], big[400];

	ck_assert(dane_record_of_key(records[_i].host, records[_i].port,
	    SPAN_LIT("abc"), out));
	ck_assert_str_eq(out, records[_i].want);
	memset(big, 'a', sizeof big);
	big[sizeof big - 1] = '\0';
	ck_assert(!dane_record_of_key(big, 25, SPAN_LIT("abc"), out));
	ck_assert_str_eq(out, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dane");
	TCase *tc = tcase_create("record");

	tcase_add_loop_test(tc, record_rows, 0,
	    sizeof records / sizeof records[0]);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
