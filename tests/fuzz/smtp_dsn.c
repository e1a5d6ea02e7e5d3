/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any value of NOTIFY, ENVID and ORCPT: what is taken decodes into its bounds
 * and can't write header fields; UTF-8 that is encoded decodes to itself. */
#include "base/utf8.h"
#include "smtp/dsn.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static void
no_controls(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		require(((unsigned char)s.p[i] >= ' ' || s.p[i] == '\t') &&
		    s.p[i] != 0x7f);
}

static void
same_again(const struct smtp_orcpt *o)
{
	struct smtp_orcpt again;
	struct buf b;

	buf_init(&b, 8 * ENVELOPE_ORCPT_MAX);
	(void)buf_str(&b, "utf-8;");
	smtp_utf8_xtext_put(&b, span_of(o->address, o->n));
	if (b.len <= ENVELOPE_ORCPT_MAX) {
		require(!utf8_any(buf_get(&b)));
		require(smtp_orcpt(buf_get(&b), false, &again));
		require(span_eq(span_of(again.address, again.n),
		    span_of(o->address, o->n)));
	}
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	char envid[ENVELOPE_ENVID_MAX];
	struct smtp_orcpt o;
	uint8_t notify;
	size_t n;

	if (smtp_notify(in, &notify))
		require(notify != 0 && (notify & ~NOTIFY_BITS) == 0);
	if (smtp_envid(in, envid, &n)) {
		require(n > 0 && n <= in.n);
		no_controls(span_of(envid, n));
	}
	for (int raw = 0; raw < 2; raw++) {
		struct span address;

		if (!smtp_orcpt(in, raw, &o))
			continue;
		address = span_of(o.address, o.n);
		require(o.type.n > 0 && o.n > 0 && o.n < in.n);
		no_controls(address);
		require(utf8_valid(address));
		same_again(&o);
	}
	return 0;
}
