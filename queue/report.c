/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/report.c - see report.h.
 *
 * Everything that came from outside is cleaned before it stands in a line of
 * ours: a reply with a line break would otherwise write header fields. */
#include "queue/report.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "smtp/dsn.h"

#define FRAME_ROOM	4096	/* for all but recipients and original */
#define WORDS_MAX	512	/* of a reply */
#define ADDRESS_MAX	320
#define HOST_MAX	255

static const struct {
	const char	*subject, *action;
	const char	*before, *behind;	/* "the recipients below" */
	char		 class;		/* of the status */
	const char	*status;	/* where none was given */
} actions[REPORT_ACTIONS] = {
	[REPORT_FAILED] = { "Undelivered mail returned to sender", "failed",
	    "could not be delivered to", ". It is not tried any more.\r\n",
	    '5', "5.0.0" },
	[REPORT_EXPIRED] = { "Undelivered mail returned to sender", "failed",
	    "was tried for too long for", ". It is not tried any more.\r\n",
	    '4', "4.4.7" },
	[REPORT_DELAYED] = { "Delayed mail, still being tried", "delayed",
	    "could not be delivered yet to", ".\r\n", '4', "4.0.0" },
	[REPORT_DELIVERED] = { "Delivered mail", "delivered",
	    "was delivered to", ".\r\n", '2', "2.0.0" },
	[REPORT_RELAYED] = { "Mail passed on", "relayed",
	    "was passed on for", ", to a mail system that does\r\n"
	    "not report deliveries.\r\n", '2', "2.0.0" },
};

/* ---- pieces ---- */

/* Printable ASCII as it is, with `utf8` other characters too; '?' for the
 * rest. */
static void
put_clean(struct buf *b, struct span s, size_t max, bool utf8)
{
	s = span_head(s, max);
	while (s.n > 0) {
		uint32_t code = 0;
		size_t n = utf8_take(s, &code);

		if (n == 1 ? code >= ' ' && code < 0x7f :
		    utf8 && code >= 0xa0)
			(void)buf_add(b, s.p, n);
		else
			(void)buf_char(b, '?');
		s = span_skip(s, n == 0 ? 1 : n);
	}
}

/* The status of RFC 3463 if it is one for this action, a general one else. */
static struct span
status_of(const struct report_rcpt *r)
{
	struct span s = r->status;

	if (r->action == REPORT_EXPIRED || s.n < 5 || s.n > 9 ||
	    s.p[1] != '.')
		return span_str(actions[r->action].status);
	if (s.p[0] != actions[r->action].class &&
	    (r->action != REPORT_FAILED || s.p[0] != '4'))
		return span_str(actions[r->action].status);
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return span_str(actions[r->action].status);
	return s;
}

/* A reply starts with its three digits; words of our own do not. */
static bool
is_reply(struct span s)
{
	return s.n >= 4 && s.p[0] >= '2' && s.p[0] <= '5' &&
	    s.p[1] >= '0' && s.p[1] <= '9' && s.p[2] >= '0' &&
	    s.p[2] <= '9' && (s.p[3] == ' ' || s.p[3] == '-');
}

static void
put_date(struct buf *b, const char *field, uint64_t wall)
{
	char when[CLOCK_RFC5322_SIZE];

	clock_rfc5322(wall, when);
	(void)buf_printf(b, "%s: %s\r\n", field, when);
}

/* ---- words for people ---- */

static void
put_heading(struct buf *b, const struct report *n, size_t i)
{
	enum report_action action = n->rcpts[i].action;
	bool many = i + 1 < n->nrcpts && n->rcpts[i + 1].action == action;
	char when[CLOCK_RFC5322_SIZE];

	clock_rfc5322(n->arrived, when);
	(void)buf_printf(b, "Your message of %s\r\n%s the recipient%s below%s",
	    when, actions[action].before, many ? "s" : "",
	    actions[action].behind);
	clock_rfc5322(n->until, when);
	if (action == REPORT_DELAYED)
		(void)buf_printf(b, "It is tried until %s;\r\n"
		    "there is no need to send it again.\r\n", when);
	(void)buf_str(b, "\r\n");
}

static void
put_words(struct buf *b, const struct report *n, size_t i)
{
	const struct report_rcpt *r = &n->rcpts[i];
	bool utf8 = (n->envelope & ENVELOPE_SMTPUTF8) != 0;

	if (i == 0 || r->action != r[-1].action)
		put_heading(b, n, i);
	(void)buf_str(b, "<");
	put_clean(b, r->address, ADDRESS_MAX, utf8);
	(void)buf_str(b, ">:\r\n");
	/* What we say of a host is nothing that it said. */
	if (r->mx.n > 0 && is_reply(r->reply)) {
		(void)buf_str(b, "    ");
		put_clean(b, r->mx, HOST_MAX, false);
		(void)buf_str(b, " said:\r\n");
	}
	(void)buf_str(b, "    ");
	put_clean(b, r->reply, WORDS_MAX, utf8);
	(void)buf_str(b, "\r\n\r\n");
}

/* ---- RFC 3464 ---- */

/* RFC 3464 sec 2.2 */
static void
put_message_fields(struct buf *b, const struct report *n)
{
	char envid[ENVELOPE_ENVID_MAX];
	size_t len;

	if (n->envid.n > 0 && smtp_envid(n->envid, envid, &len)) {
		(void)buf_str(b, "Original-Envelope-Id: ");
		put_clean(b, span_of(envid, len), len, false);
		(void)buf_str(b, "\r\n");
	}
	(void)buf_printf(b, "Reporting-MTA: dns; %s\r\n", n->hostname);
	put_date(b, "Arrival-Date", n->arrived);
	(void)buf_printf(b, "X-Sealane-Message-Id: %s\r\n", n->original_id);
}

/* RFC 6533 sec 3: as it is where the report may be UTF-8, else encoded. */
static void
put_utf8_address(struct buf *b, struct span address, bool utf8)
{
	if (utf8)
		put_clean(b, address, address.n, true);
	else
		smtp_utf8_xtext_put(b, address);
}

static void
put_final(struct buf *b, struct span address, bool utf8)
{
	address = span_head(address, ADDRESS_MAX);
	if (utf8_any(address) && utf8_valid(address)) {
		(void)buf_str(b, "Final-Recipient: utf-8; ");
		put_utf8_address(b, address, utf8);
	} else {
		(void)buf_str(b, "Final-Recipient: rfc822; ");
		put_clean(b, address, ADDRESS_MAX, false);
	}
	(void)buf_str(b, "\r\n");
}

static void
put_original(struct buf *b, struct span orcpt, bool utf8)
{
	struct smtp_orcpt o;
	struct span address;

	if (orcpt.n == 0 || !smtp_orcpt(orcpt, true, &o))
		return;
	address = span_of(o.address, o.n);
	if (utf8_any(address))
		o.type = SPAN_LIT("utf-8");
	(void)buf_printf(b, "Original-Recipient: %.*s; ", SPAN_FMT(o.type));
	if (span_ieq(o.type, SPAN_LIT("utf-8")))
		put_utf8_address(b, address, utf8);
	else
		put_clean(b, address, o.n, false);
	(void)buf_str(b, "\r\n");
}

/* RFC 3464 sec 2.3 */
static void
put_status(struct buf *b, const struct report *n, size_t i)
{
	const struct report_rcpt *r = &n->rcpts[i];
	bool utf8 = (n->envelope & ENVELOPE_SMTPUTF8) != 0;
	struct span status = status_of(r);

	(void)buf_str(b, "\r\n");
	put_original(b, r->orcpt, utf8);
	put_final(b, r->address, utf8);
	(void)buf_printf(b, "Action: %s\r\nStatus: %.*s\r\n",
	    actions[r->action].action, SPAN_FMT(status));
	if (r->mx.n > 0 && is_reply(r->reply)) {
		(void)buf_str(b, "Remote-MTA: dns; ");
		put_clean(b, r->mx, HOST_MAX, false);
		(void)buf_str(b, "\r\n");
	}
	(void)buf_str(b, is_reply(r->reply) ?
	    "Diagnostic-Code: smtp; " : "Diagnostic-Code: x-sealane; ");
	put_clean(b, r->reply, WORDS_MAX, utf8);
	(void)buf_str(b, "\r\n");
	if (r->last != 0)
		put_date(b, "Last-Attempt-Date", r->last);
	if (r->action == REPORT_DELAYED)
		put_date(b, "Will-Retry-Until", n->until);
}

/* ---- the original ---- */

static struct span
header_of(struct span message)
{
	for (size_t i = 0; i + 4 <= message.n; i++)
		if (memcmp(message.p + i, "\r\n\r\n", 4) == 0)
			return span_head(message, i + 2);
	/* No end in what we have: the last whole line. */
	for (size_t i = message.n; i >= 2; i--)
		if (memcmp(message.p + i - 2, "\r\n", 2) == 0)
			return span_head(message, i);
	return SPAN_NONE;
}

/* RFC 3461 sec 4.3: only of failures more than the header is returned.  Where
 * nobody said how much, a sender who may be forged gets no more either. */
static bool
returns_whole(const struct report *n)
{
	if (n->nrcpts == 0 || n->rcpts[0].action > REPORT_EXPIRED)
		return false;
	if (n->envelope & ENVELOPE_REQUIRETLS)
		return false;	/* RFC 8689 sec 5 */
	if ((n->envelope & (ENVELOPE_RET_FULL | ENVELOPE_RET_HDRS)) != 0)
		return (n->envelope & ENVELOPE_RET_FULL) != 0;
	return (n->envelope & ENVELOPE_TRUSTED) != 0;
}

/* A whole message that is small enough beside what must be said, else its
 * header, as much of it as has room. */
static struct span
choose_original(const struct report *n, size_t room, bool *whole)
{
	struct span s;

	*whole = returns_whole(n) && n->whole &&
	    n->original.n <= REPORT_WHOLE && n->original.n <= room;
	if (*whole)
		return n->original;
	s = header_of(n->original);
	return s.n <= room ? s : header_of(span_head(s, room));
}

static const char *
original_type(const struct report *n, struct span original, bool whole)
{
	struct span header = header_of(original);
	bool utf8 = utf8_valid(header);
	bool global = utf8 && utf8_any(header) &&
	    (n->envelope & ENVELOPE_SMTPUTF8) != 0;

	if (whole)
		return global ? "message/global" : "message/rfc822";
	if (global)
		return "message/global-headers";
	if (!utf8_any(original))
		return "text/rfc822-headers";
	return utf8 ? "text/rfc822-headers; charset=utf-8" :
	    "text/rfc822-headers; charset=unknown-8bit";
}

/* ---- the whole ---- */

static void
put_header(struct buf *b, const struct report *n, bool eight)
{
	put_date(b, "Date", n->now);
	(void)buf_printf(b,
	    "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <", n->hostname);
	put_clean(b, n->sender, ADDRESS_MAX,
	    (n->envelope & ENVELOPE_SMTPUTF8) != 0);
	(void)buf_printf(b, ">\r\n"
	    "Subject: %s\r\n"
	    "Message-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\n"		/* RFC 3834 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_%s\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n"
	    "This is a MIME message about the delivery of mail.\r\n",
	    actions[n->rcpts[0].action].subject, n->id, n->hostname, n->id,
	    eight ? "8bit" : "7bit");
}

static void
put_part(struct buf *b, const struct report *n, const char *type,
    struct span content)
{
	(void)buf_printf(b, "\r\n--=_%s\r\nContent-Type: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n", n->id, type,
	    utf8_any(content) ? "8bit" : "7bit");
	(void)buf_span(b, content);
}

/* Both accounts of as many recipients as fit; how many. */
static size_t
put_accounts(const struct report *n, struct buf *words, struct buf *status)
{
	size_t i;

	(void)buf_printf(words, "This is the mail system at %s.\r\n\r\n",
	    n->hostname);
	put_message_fields(status, n);
	for (i = 0; i < n->nrcpts; i++) {
		size_t w = words->len, s = status->len;

		put_words(words, n, i);
		put_status(status, n, i);
		if (words->failed || status->failed ||
		    words->len + status->len > REPORT_MAX - FRAME_ROOM) {
			words->len = w;
			status->len = s;
			break;
		}
	}
	return i;
}

size_t
report_build(struct buf *out, const struct report *n, uint16_t *envelope)
{
	struct buf words, status;
	struct span original;
	bool whole, eight;
	size_t rcpts;

	buf_init(&words, REPORT_MAX);
	buf_init(&status, REPORT_MAX);
	rcpts = put_accounts(n, &words, &status);
	original = choose_original(n, REPORT_MAX - FRAME_ROOM - words.len -
	    status.len, &whole);
	eight = utf8_any(buf_get(&words)) || utf8_any(buf_get(&status)) ||
	    utf8_any(original);
	put_header(out, n, eight);
	*envelope = (eight ? ENVELOPE_8BIT : 0) |
	    (utf8_any(buf_get(out)) ? ENVELOPE_SMTPUTF8 : 0) |
	    (n->envelope & (ENVELOPE_REQUIRETLS | ENVELOPE_TLS_OPTIONAL));
	put_part(out, n, utf8_any(buf_get(&words)) ?
	    "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
	    buf_get(&words));
	put_part(out, n, utf8_any(buf_get(&status)) ?
	    "message/global-delivery-status" : "message/delivery-status",
	    buf_get(&status));
	put_part(out, n, original_type(n, original, whole), original);
	(void)buf_printf(out, "\r\n--=_%s--\r\n", n->id);
	buf_free(&words);
	buf_free(&status);
	return out->failed ? 0 : rcpts;
}
