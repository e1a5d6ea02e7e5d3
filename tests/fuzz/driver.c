/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/fuzz/driver.c - runs a fuzz target without a fuzzer: over the files
 * given, and over cheap mutations of each.  So that every test run executes
 * the targets, also where no libFuzzer is. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define FILE_MAX	65536

static void
one(const uint8_t *p, size_t n)
{
	/* A copy of just that size, so that a read behind it is seen. */
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	if (copy == NULL)
		exit(1);
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

/* Every prefix, and every byte replaced by ones that mean something. */
static void
mutate(uint8_t *p, size_t n)
{
	static const uint8_t bytes[] = { 0, '\n', '"', '\\', '{', '}', '[', ']',
	    '#', ';', '=', ' ', '.', ':', '0', 0x80, 0xff };

	for (size_t i = 0; i <= n; i++)
		one(p, i);
	for (size_t i = 0; i < n; i++) {
		uint8_t old = p[i];

		p[i] = bytes[i % sizeof bytes];
		one(p, n);
		p[i] = (uint8_t)(old ^ (1u << i % 8));
		one(p, n);
		p[i] = old;
	}
}

int
main(int argc, char **argv)
{
	static uint8_t text[FILE_MAX];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(text, 1, sizeof text, f);
		fclose(f);
		mutate(text, n);
	}
	return argc > 1 ? 0 : 64;
}
