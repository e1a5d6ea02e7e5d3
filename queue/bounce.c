/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/bounce.c - see bounce.h. */
#include "queue/bounce.h"

#include "base/clock.h"

#define FOLD_AT		72	/* RFC 5322 sec 2.1.1 asks for 78 */
#define WORD_MAX	900	/* RFC 5321 sec 4.5.3.1.6: a line is 1000 at most */

/* Printable ASCII, anything else as `?`: a peer's reply must not be able to
 * begin a header field of ours. */
static void
put_clean(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(out, s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
}

/* Words of `s` in lines that continue with `indent`, which makes them folded
 * header text (RFC 5322 sec 2.2.3) as well as readable prose. */
static void
put_folded(struct buf *out, struct span s, const char *indent, size_t column)
{
	while (s.n > 0) {
		struct span word = span_cut(&s, ' ');

		if (word.n > WORD_MAX) {
			s = span_of(word.p + WORD_MAX,
			    word.n - WORD_MAX + (s.n > 0 ? s.n + 1 : 0));
			word.n = WORD_MAX;
		}
		if (word.n == 0)
			continue;
		if (column + 1 + word.n > FOLD_AT) {
			buf_printf(out, "\r\n%s", indent);
			column = strlen(indent);
		} else {
			buf_char(out, ' ');
			column++;
		}
		put_clean(out, word);
		column += word.n;
	}
	buf_str(out, "\r\n");
}

static void
put_field(struct buf *out, const char *name, struct span value)
{
	buf_printf(out, "%s:", name);
	put_folded(out, value, "    ", strlen(name) + 1);
}

static void
put_head(struct buf *out, const struct bounce *b, const char *date)
{
	buf_printf(out, "Date: %s\r\n", date);
	buf_printf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n",
	    b->hostname);
	buf_str(out, "To: <");
	put_clean(out, b->to);
	buf_str(out, ">\r\nSubject: Undelivered mail returned to sender\r\n");
	buf_printf(out, "Message-ID: <%.*s@%s>\r\n", SPAN_FMT(b->id),
	    b->hostname);
	buf_str(out, "Auto-Submitted: auto-replied\r\n");	/* RFC 3834 sec 5 */
	buf_str(out, "MIME-Version: 1.0\r\n");
	buf_printf(out, "Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n    boundary=\"%.*s/%s\"\r\n",
	    SPAN_FMT(b->id), b->hostname);
}

static void
put_boundary(struct buf *out, const struct bounce *b, const char *tail)
{
	buf_printf(out, "\r\n--%.*s/%s%s\r\n", SPAN_FMT(b->id), b->hostname,
	    tail);
}

static void
put_people(struct buf *out, const struct bounce *b)
{
	buf_str(out, "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Description: Notification\r\n\r\n");
	buf_printf(out, "This is the mail server at %s.\r\n\r\n", b->hostname);
	buf_str(out, "Your message could not be delivered to the recipients "
	    "below.\r\nIt will not be tried again.\r\n");
	for (size_t i = 0; i < b->nrcpts; i++) {
		const struct bounce_rcpt *r = &b->rcpts[i];

		buf_str(out, "\r\n<");
		put_clean(out, r->address);
		buf_str(out, ">:");
		if (r->mx.n > 0) {
			buf_str(out, " host ");
			put_clean(out, r->mx);
			buf_str(out, " said:");
		}
		buf_str(out, "\r\n   ");
		put_folded(out, r->reply, "    ", 3);
	}
	buf_printf(out, "\r\nThe message had the id %.*s here.\r\n",
	    SPAN_FMT(b->original_id));
}

/* RFC 3464 sec 2.3 */
static void
put_rcpt(struct buf *out, const struct bounce_rcpt *r)
{
	buf_str(out, "\r\nFinal-Recipient: rfc822; ");
	put_clean(out, r->address);
	buf_str(out, "\r\nAction: failed\r\n");
	put_field(out, "Status", r->dsn.n > 0 ? r->dsn : SPAN_LIT("5.0.0"));
	if (r->mx.n > 0) {
		buf_str(out, "Remote-MTA: dns; ");
		put_clean(out, r->mx);
		buf_str(out, "\r\n");
	}
	if (r->reply.n > 0) {
		/* sec 2.3.6: "smtp" promises a reply of an SMTP server. */
		const char *type = r->mx.n > 0 ? "smtp;" : "x-sealane;";

		buf_printf(out, "Diagnostic-Code: %s", type);
		put_folded(out, r->reply, "    ", 17 + strlen(type));
	}
}

static void
put_programs(struct buf *out, const struct bounce *b, const char *arrived)
{
	buf_str(out, "Content-Type: message/delivery-status\r\n"
	    "Content-Description: Delivery report\r\n\r\n");
	buf_printf(out, "Reporting-MTA: dns; %s\r\n", b->hostname);
	buf_printf(out, "X-Sealane-Queue-ID: %.*s\r\n", SPAN_FMT(b->original_id));
	buf_printf(out, "Arrival-Date: %s\r\n", arrived);
	for (size_t i = 0; i < b->nrcpts; i++)
		put_rcpt(out, &b->rcpts[i]);
}

/* The header of a message without the empty line; whole lines only. */
static struct span
header_of(struct span message)
{
	const char *end = message.n == 0 ? NULL :
	    memmem(message.p, message.n, "\r\n\r\n", 4);

	if (end != NULL)
		return span_head(message, (size_t)(end - message.p) + 2);
	end = message.n == 0 ? NULL : memrchr(message.p, '\n', message.n);
	return end == NULL ? SPAN_NONE :
	    span_head(message, (size_t)(end - message.p) + 1);
}

static bool
has_8bit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return true;
	return false;
}

static void
put_original(struct buf *out, const struct bounce *b, bool *is_8bit)
{
	struct span s = b->whole ? b->original : header_of(b->original);

	*is_8bit = has_8bit(s);
	buf_printf(out, "Content-Type: %s\r\nContent-Description: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    b->whole ? "message/rfc822" : "text/rfc822-headers",
	    b->whole ? "Undelivered message" : "Header of the message",
	    *is_8bit ? "8bit" : "7bit");
	buf_span(out, s);
}

int
bounce_write(struct buf *out, const struct bounce *b, bool *is_8bit)
{
	char now[CLOCK_RFC5322_SIZE], arrived[CLOCK_RFC5322_SIZE];

	clock_rfc5322(b->now, now);
	clock_rfc5322(b->arrived, arrived);
	put_head(out, b, now);
	put_boundary(out, b, "");
	put_people(out, b);
	put_boundary(out, b, "");
	put_programs(out, b, arrived);
	put_boundary(out, b, "");
	put_original(out, b, is_8bit);
	put_boundary(out, b, "--");
	return out->failed ? -1 : 0;
}
