/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/mime7_files.c - for mime7_decode.py: converts each FILE into
 * FILE.out and prints the verdict, a line each. */
#include "smtp/mime7.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX	(1024 * 1024)
#define STEP		997

static void
run(struct mime7 *m, struct span in, const char *name)
{
	char path[4096];
	struct buf out;
	FILE *f;
	size_t at;

	mime7_begin(m);
	for (at = 0; at < in.n; at += STEP)
		mime7_scan(m, span_head(span_skip(in, at), STEP));
	printf("%d\n", (int)mime7_verdict(m));
	if (m->trouble != MIME7_PLAIN)
		return;
	buf_init(&out, MIME7_OUT_MAX(in.n));
	mime7_rewind(m);
	for (at = 0; at < in.n; at += STEP)
		mime7_put(m, span_head(span_skip(in, at), STEP), &out);
	mime7_end(m, &out);
	snprintf(path, sizeof(path), "%s.out", name);
	f = fopen(path, "wb");
	if (f == NULL || out.failed ||
	    fwrite(buf_get(&out).p, 1, out.len, f) != out.len ||
	    fclose(f) != 0)
		exit(1);
	buf_free(&out);
}

int
main(int argc, char **argv)
{
	static struct mime7 m;
	static char text[FILE_MAX];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL)
			return 1;
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
		run(&m, span_of(text, n), argv[i]);
	}
	return 0;
}
