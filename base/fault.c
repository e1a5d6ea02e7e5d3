/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/fault.c - see fault.h. */
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
one_line(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
}

int
fault_set(struct fault *f, enum fault_class class, int code,
    const char *enhanced, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL)
		return -1;
	*f = (struct fault){ .class = class, .code = code };
	if (enhanced != NULL)
		snprintf(f->enhanced, sizeof f->enhanced, "%s", enhanced);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	one_line(f->text);
	return -1;
}

int
fault_sys(struct fault *f, const char *what)
{
	int err = errno;
	int full = err == ENOSPC || err == EDQUOT;

	fault_set(f, FAULT_TEMP, full ? 452 : 451, full ? "4.3.1" : "4.3.0",
	    "%s: %s", what, strerror(err));
	if (f != NULL)
		f->err = err;
	return -1;
}
