/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/proctitle.c - see proctitle.h. */
#include "base/proctitle.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

void
proctitle_set(int argc, char **argv, const char *title)
{
	char *start = argv[0], *end = argv[0] + strlen(argv[0]);

	/* The kernel lays the arguments side by side; stop where they do not. */
	for (int i = 1; i < argc && argv[i] == end + 1; i++)
		end = argv[i] + strlen(argv[i]);
	memset(start, 0, (size_t)(end - start));
	snprintf(start, (size_t)(end - start) + 1, "%s", title);
	prctl(PR_SET_NAME, "sealane");
}
