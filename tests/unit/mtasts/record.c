/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The TXT record: every rule of RFC 8461 sec 3.1. */
#include "tests/unit/suite.h"

#include "mtasts/record.h"

#define ID32	"abcdefghijklmnopqrstuvwxyz012345"

static const struct row {
	const char	*name;
	const char	*txts[4];
	enum sts_record	 want;
	const char	*id;
} rows[] = {
	{ "plain", { "v=STSv1; id=20160831085700Z;" }, STS_RECORD_VALID,
	    "20160831085700Z" },			/* sec 3.1, example */
	{ "no final delimiter", { "v=STSv1; id=1" }, STS_RECORD_VALID, "1" },
	{ "no space", { "v=STSv1;id=1;" }, STS_RECORD_VALID, "1" },
	{ "spaces and tabs", { "v=STSv1; \t id=1 \t ; " }, STS_RECORD_VALID, "1" },
	{ "longest id", { "v=STSv1; id=" ID32 }, STS_RECORD_VALID, ID32 },
	{ "id too long", { "v=STSv1; id=" ID32 "6" }, STS_RECORD_INVALID, "" },
	{ "id with a hyphen", { "v=STSv1; id=1-2" }, STS_RECORD_INVALID, "" },
	{ "empty id", { "v=STSv1; id=;" }, STS_RECORD_INVALID, "" },
	{ "no id", { "v=STSv1;" }, STS_RECORD_INVALID, "" },
	{ "extension instead", { "v=STSv1; foo=bar" }, STS_RECORD_INVALID, "" },
	{ "extension before", { "v=STSv1; foo=bar; id=1" }, STS_RECORD_VALID, "1" },
	{ "extension behind", { "v=STSv1; id=1; f.o-o_=b:a/r;" },
	    STS_RECORD_VALID, "1" },
	{ "extension's name", { "v=STSv1; id=1; _foo=bar" },
	    STS_RECORD_INVALID, "" },
	{ "extension's value", { "v=STSv1; id=1; foo=a=b" },
	    STS_RECORD_INVALID, "" },
	{ "extension without value", { "v=STSv1; id=1; foo" },
	    STS_RECORD_INVALID, "" },
	{ "first id counts", { "v=STSv1; id=1; id=2" }, STS_RECORD_VALID, "1" },
	{ "second id is read", { "v=STSv1; id=1; id=!" }, STS_RECORD_INVALID, "" },
	{ "empty field", { "v=STSv1;; id=1" }, STS_RECORD_INVALID, "" },
	{ "two delimiters at the end", { "v=STSv1; id=1;;" },
	    STS_RECORD_INVALID, "" },
	{ "key's case", { "v=STSv1; ID=1" }, STS_RECORD_INVALID, "" },
	{ "version's case", { "v=stsv1; id=1" }, STS_RECORD_NONE, "" },
	{ "later version", { "v=STSv2; id=1" }, STS_RECORD_NONE, "" },
	{ "version without delimiter", { "v=STSv1" }, STS_RECORD_NONE, "" },
	{ "space before version", { " v=STSv1; id=1" }, STS_RECORD_NONE, "" },
	{ "nothing", { NULL }, STS_RECORD_NONE, "" },
	{ "empty string", { "" }, STS_RECORD_NONE, "" },
	{ "others are discarded", { "v=spf1 -all", "v=STSv1; id=1", "x" },
	    STS_RECORD_VALID, "1" },
	{ "two", { "v=STSv1; id=1", "v=STSv1; id=1" }, STS_RECORD_MANY, "" },
	{ "two, one is bad", { "v=STSv1; id=1", "v=STSv1; id=!" },
	    STS_RECORD_MANY, "" },
	{ "control character", { "v=STSv1; id=1\r\n" }, STS_RECORD_INVALID, "" },
	{ "8-bit", { "v=STSv1; id=1; x=\xc3\xbc" }, STS_RECORD_INVALID, "" },
};

START_TEST(find)
{
	const struct row *r = &rows[_i];
	struct span txts[4];
	char id[STS_ID_SIZE] = "untouched";
	enum sts_record got;
	size_t n;

	for (n = 0; n < 4 && r->txts[n] != NULL; n++)
		txts[n] = span_str(r->txts[n]);
	got = sts_record_find(txts, n, id);
	ck_assert_msg(got == r->want, "%s: %s", r->name, sts_record_name(got));
	ck_assert_msg(strcmp(id, r->id) == 0, "%s: id %s", r->name, id);
}
END_TEST

START_TEST(nul)
{
	struct span txt = SPAN_LIT("v=STSv1; id=1\0");
	char id[STS_ID_SIZE];

	ck_assert_int_eq(sts_record_find(&txt, 1, id), STS_RECORD_INVALID);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mtasts/record");
	TCase *tc = tcase_create("record");

	tcase_add_loop_test(tc, find, 0, NELEM(rows));
	tcase_add_test(tc, nul);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
