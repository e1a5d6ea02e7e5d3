/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/replay/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *script_way = "";

static const char *file;
static unsigned line_number;
static bool left;

void
wrong(const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s:%u: ", file, line_number);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s\n", script_way);
	exit(1);
}

static int
hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, ascii_lower(c));

	return at == NULL ? -1 : (int)(at - digits);
}

void
unescape(const char *s, struct buf *out)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";

	for (; *s != '\0'; s++) {
		const char *at;

		if (*s != '\\') {
			(void)buf_char(out, *s);
			continue;
		}
		s++;
		if (*s == 'x' && hex(s[1]) != -1 && hex(s[2]) != -1) {
			(void)buf_char(out, (char)(hex(s[1]) * 16 + hex(s[2])));
			s += 2;
			continue;
		}
		at = *s == '\0' ? NULL : strchr(names, *s);
		if (at == NULL)
			wrong("what is \\%c?", *s);
		(void)buf_char(out, bytes[at - names]);
	}
}

static void
act(char *line, const struct script_act *acts, size_t n)
{
	char *arg = line + strcspn(line, " ");

	if (*arg != '\0')
		*arg++ = '\0';
	for (size_t i = 0; i < n; i++)
		if (strcmp(line, acts[i].word) == 0) {
			acts[i].run(arg);
			return;
		}
	wrong("what is %s?", line);
}

void
script_leave(void)
{
	left = true;
}

bool
script_play(const char *name, const struct script_act *acts, size_t n)
{
	char line[SCRIPT_LINE];
	FILE *f = fopen(name, "r");

	file = name;
	line_number = 0;
	left = false;
	if (f == NULL)
		wrong("cannot be read");
	while (!left && fgets(line, sizeof(line), f) != NULL) {
		line_number++;
		if (strchr(line, '\n') == NULL)
			wrong("a line without an end, or too long");
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			act(line, acts, n);
	}
	(void)fclose(f);
	return !left;
}
