/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any path: what is taken is printable, within its bounds, one mailbox has one
 * spelling (taken again, it stays as it is), and parameters end. */
#include <stdio.h>

#include "smtp/address.h"
#include "smtp/helo.h"
#include "smtp/params.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static void
same_again(const struct smtp_address *a)
{
	char text[SMTP_MAILBOX_MAX + 8];
	struct smtp_address b;
	struct span in;
	int n = snprintf(text, sizeof text, "<%s>", a->text);

	in = span_of(text, (size_t)n);
	require(smtp_path_take(&in, &b) == SMTP_ADDRESS_OK && in.n == 0);
	require(b.kind == a->kind && b.n == a->n && b.local == a->local);
	require(memcmp(a->text, b.text, a->n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), all = in, name, domain;
	struct smtp_mail_params p;
	struct smtp_rcpt_params r;
	struct smtp_address a;

	if (smtp_helo(in, &name)) {
		require(name.n > 0 && name.n <= SMTP_HELO_MAX);
		require_printable(name);
		require(memchr(name.p, ' ', name.n) == NULL);
	}
	(void)smtp_mail_params(in, &p);
	if (smtp_path_take(&in, &a) != SMTP_ADDRESS_OK)
		return 0;
	require(in.n < all.n && in.p == all.p + (all.n - in.n));
	require(in.p[-1] == '>');
	require(a.n <= SMTP_MAILBOX_MAX && strlen(a.text) == a.n);
	require_text(span_of(a.text, a.n));
	require(a.utf8 || !utf8_any(span_of(a.text, a.n)));
	require((a.kind == SMTP_NULL) == (a.n == 0));
	domain = smtp_address_domain(&a);
	require((a.kind == SMTP_MAILBOX) == (domain.n > 0));
	require_printable(domain);
	for (size_t i = 0; i < domain.n && domain.p[0] != '['; i++)
		require(domain.p[i] == ascii_lower(domain.p[i]));
	same_again(&a);
	(void)smtp_mail_params(in, &p);
	(void)smtp_rcpt_params(in, 0, &r);
	(void)smtp_rcpt_params(in, ENVELOPE_SMTPUTF8, &r);
	return 0;
}
