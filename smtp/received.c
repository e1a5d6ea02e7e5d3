/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/received.c - see received.h. */
#include "smtp/received.h"

const char *
smtp_protocol(bool ehlo, bool tls, bool utf8)
{
	static const char *const words[2][2] = {
		{ "ESMTP", "ESMTPS" }, { "UTF8SMTP", "UTF8SMTPS" },
	};

	return ehlo ? words[utf8][tls] : "SMTP";
}

int
smtp_received_put(struct buf *out, const struct smtp_received *r)
{
	char ip[ADDR_TEXT_SIZE];

	buf_printf(out, "Received: from %.*s ([%s%s])\r\n", SPAN_FMT(r->helo),
	    r->client.family == 6 ? "IPv6:" : "", addr_ip_text(&r->client, ip));
	buf_printf(out, "\tby %.*s with %s\r\n", SPAN_FMT(r->by),
	    smtp_protocol(r->ehlo, r->tls != NULL, r->utf8));
	if (r->tls != NULL)
		buf_printf(out, "\t(%s cipher=%s kx=%s level=%s)\r\n",
		    r->tls->version, r->tls->cipher, r->tls->kx,
		    level_name(r->level));
	buf_printf(out, "\tid %.*s", SPAN_FMT(r->id));
	if (r->only_rcpt.n > 0)
		buf_printf(out, " for <%.*s>", SPAN_FMT(r->only_rcpt));
	buf_printf(out, ";\r\n\t%s\r\n", r->date);
	return out->failed ? -1 : 0;
}

int
smtp_missing_put(struct buf *out, const char *date, struct span id,
    struct span host)
{
	if (date != NULL)
		buf_printf(out, "Date: %s\r\n", date);
	if (id.n > 0)
		buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", SPAN_FMT(id),
		    SPAN_FMT(host));
	return out->failed ? -1 : 0;
}
