/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any argument of XFORWARD: what is taken is printable, without spaces, within
 * its bounds, and the same when it comes again; what is refused changes
 * nothing. */
#include "smtp/xforward.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static void
plain(const char *s, size_t size)
{
	require(memchr(s, '\0', size) != NULL);
	require_printable(span_str(s));
	require(strchr(s, ' ') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct smtp_xforward before = { .name = "n", .port = "1" };
	struct smtp_xforward x = before, again;
	struct span in = span_of(data, size);

	if (!smtp_xforward_take(in, &x)) {
		require(memcmp(&x, &before, sizeof x) == 0);
		return 0;
	}
	plain(x.name, sizeof x.name);
	plain(x.addr, sizeof x.addr);
	plain(x.port, sizeof x.port);
	plain(x.proto, sizeof x.proto);
	plain(x.helo, sizeof x.helo);
	plain(x.ident, sizeof x.ident);
	plain(x.source, sizeof x.source);
	again = x;
	require(smtp_xforward_take(in, &again));
	require(strcmp(again.name, x.name) == 0);
	require(strcmp(again.addr, x.addr) == 0);
	return 0;
}
