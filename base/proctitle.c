/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/proctitle.c - see proctitle.h. */
#include "base/proctitle.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static char *start, *end;

void
proctitle_init(int argc, char **argv)
{
	if (argc < 1)
		return;
	start = argv[0];
	end = start + strlen(start);
	/* The kernel lays the arguments side by side; stop where they do not. */
	for (int i = 1; i < argc && argv[i] == end + 1; i++)
		end = argv[i] + strlen(argv[i]);
}

void
proctitle_set(const char *title)
{
	if (start == NULL)
		return;
	memset(start, 0, (size_t)(end - start));
	snprintf(start, (size_t)(end - start) + 1, "%s", title);
	prctl(PR_SET_NAME, "sealane");
}
