/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/suite.h - the main() that every Check program ends with. */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

#define NELEM(a)	((int)(sizeof(a) / sizeof((a)[0])))

static inline int
suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
