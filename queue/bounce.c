/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/bounce.c - see bounce.h.
 *
 * Everything that came from outside is cleaned before it stands in a line of
 * ours: a reply with a line break would otherwise write header fields. */
#include "queue/bounce.h"

#include <stdio.h>

#include "base/clock.h"

#define FRAME_ROOM	4096	/* and all the rest but the original */
#define WORDS_MAX	600	/* of a reply */

/* Printable ASCII as it is, the rest as '?'. */
static void
put_clean(struct buf *b, struct span s, size_t max)
{
	s = span_head(s, max);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		(void)buf_char(b, c >= ' ' && c < 0x7f ? c : '?');
	}
}

/* The status of RFC 3463 if it is one for a failure, a general one else. */
static struct span
status_of(const struct bounce_rcpt *r)
{
	struct span s = r->status;

	if (r->expired)
		return SPAN_LIT("4.4.7");
	if (s.n < 5 || s.n > 9 || (s.p[0] != '5' && s.p[0] != '4') ||
	    s.p[1] != '.')
		return SPAN_LIT("5.0.0");
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return SPAN_LIT("5.0.0");
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
put_words(struct buf *b, const struct bounce *n, size_t rcpts)
{
	char when[CLOCK_RFC5322_SIZE];

	clock_rfc5322(n->arrived, when);
	(void)buf_printf(b,
	    "This is the mail system at %s.\r\n\r\n"
	    "Your message of %s\r\ncould not be delivered to %s below. "
	    "It is not tried any more.\r\n\r\n", n->hostname, when,
	    rcpts == 1 ? "the recipient" : "the recipients");
	for (size_t i = 0; i < rcpts; i++) {
		const struct bounce_rcpt *r = &n->rcpts[i];

		(void)buf_str(b, "<");
		put_clean(b, r->address, 320);
		(void)buf_str(b, ">:\r\n");
		if (r->expired)
			(void)buf_str(b, "    It was tried for too long. "
			    "The last answer:\r\n");
		/* What we say of a host is nothing that it said. */
		if (r->mx.n > 0 && is_reply(r->reply)) {
			(void)buf_str(b, "    ");
			put_clean(b, r->mx, 255);
			(void)buf_str(b, " said:\r\n");
		}
		(void)buf_str(b, "    ");
		put_clean(b, r->reply, WORDS_MAX);
		(void)buf_str(b, "\r\n\r\n");
	}
}

/* RFC 3464 sec 2.2 and 2.3. */
static void
put_status(struct buf *b, const struct bounce *n, size_t rcpts)
{
	char when[CLOCK_RFC5322_SIZE];

	clock_rfc5322(n->arrived, when);
	(void)buf_printf(b, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n"
	    "X-Sealane-Message-Id: %s\r\n", n->hostname, when, n->original_id);
	for (size_t i = 0; i < rcpts; i++) {
		const struct bounce_rcpt *r = &n->rcpts[i];
		struct span status = status_of(r);

		(void)buf_str(b, "\r\nFinal-Recipient: rfc822; ");
		put_clean(b, r->address, 320);
		(void)buf_printf(b, "\r\nAction: failed\r\nStatus: %.*s\r\n",
		    SPAN_FMT(status));
		if (r->mx.n > 0 && is_reply(r->reply)) {
			(void)buf_str(b, "Remote-MTA: dns; ");
			put_clean(b, r->mx, 255);
			(void)buf_str(b, "\r\n");
		}
		(void)buf_str(b, is_reply(r->reply) ?
		    "Diagnostic-Code: smtp; " : "Diagnostic-Code: x-sealane; ");
		put_clean(b, r->reply, WORDS_MAX);
		(void)buf_str(b, "\r\n");
	}
}

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

static bool
has_eight(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

static void
put_header(struct buf *b, const struct bounce *n, bool eight)
{
	char when[CLOCK_RFC5322_SIZE];

	clock_rfc5322(n->now, when);
	(void)buf_printf(b,
	    "Date: %s\r\n"
	    "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <", when, n->hostname);
	put_clean(b, n->sender, 320);
	(void)buf_printf(b, ">\r\n"
	    "Subject: Undelivered mail returned to sender\r\n"
	    "Message-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\n"		/* RFC 3834 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_%s\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n"
	    "This is a MIME message about mail that was not delivered.\r\n",
	    n->id, n->hostname, n->id, eight ? "8bit" : "7bit");
}

static void
put_part(struct buf *b, const struct bounce *n, const char *type, bool eight)
{
	(void)buf_printf(b, "\r\n--=_%s\r\nContent-Type: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n", n->id, type,
	    eight ? "8bit" : "7bit");
}

/* How many recipients fit, and what they take in both parts. */
static size_t
count_fitting(const struct bounce *n, size_t *room)
{
	size_t i, sum = 0;

	for (i = 0; i < n->nrcpts; i++) {
		const struct bounce_rcpt *r = &n->rcpts[i];
		size_t one = 256 + 2 * (span_head(r->address, 320).n +
		    span_head(r->mx, 255).n + span_head(r->reply, WORDS_MAX).n);

		if (sum + one > BOUNCE_MAX - FRAME_ROOM)
			break;
		sum += one;
	}
	*room = BOUNCE_MAX - FRAME_ROOM - sum;
	return i;
}

/* A whole message that is small enough beside what must be said, else its
 * header, as much of it as has room. */
static struct span
choose_original(const struct bounce *n, size_t room, bool *whole)
{
	struct span s;

	*whole = n->whole && n->original.n <= BOUNCE_WHOLE &&
	    n->original.n <= room;
	if (*whole)
		return n->original;
	s = header_of(n->original);
	return s.n <= room ? s : header_of(span_head(s, room));
}

size_t
bounce_build(struct buf *out, const struct bounce *n, bool *eight)
{
	size_t room, rcpts = count_fitting(n, &room);
	bool whole;
	struct span original = choose_original(n, room, &whole);

	*eight = has_eight(original);
	put_header(out, n, *eight);
	put_part(out, n, "text/plain; charset=us-ascii", false);
	put_words(out, n, rcpts);
	put_part(out, n, "message/delivery-status", false);
	put_status(out, n, rcpts);
	put_part(out, n, whole ? "message/rfc822" : "text/rfc822-headers",
	    *eight);
	(void)buf_span(out, original);
	(void)buf_printf(out, "\r\n--=_%s--\r\n", n->id);
	return out->failed ? 0 : rcpts;
}
