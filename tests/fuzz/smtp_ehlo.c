/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any lines as a reply to EHLO: STARTTLS is found wherever a line says so,
 * whatever stands around it. */
#include <stdlib.h>

#include "base/buf.h"
#include "smtp/ehlo.h"
#include "tests/fuzz/fuzz.h"

static void
require(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct ehlo e, with;
	struct buf b;

	ehlo_parse(&e, in);
	require((e.caps & EHLO_SIZE) != 0 || e.size_max == 0);
	require(e.mangled == (e.mangled_word[0] != '\0'));
	if (size > 32768)
		return 0;
	buf_init(&b, 65536);
	require(buf_span(&b, in) == 0 && buf_str(&b, "\n sTaRtTlS \n") == 0 &&
	    buf_span(&b, in) == 0);
	ehlo_parse(&with, buf_get(&b));
	require(with.caps == (with.caps | e.caps | EHLO_STARTTLS));
	require(with.mangled || !e.mangled);
	buf_free(&b);
	return 0;
}
