/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/chunk.c - BDAT, RFC 3030 sec 2.
 *
 * However wrong the command comes, its octets are read as octets: a client may
 * have sent them along with it, and behind a refusal they would be commands of
 * whoever wrote the message.  So every BDAT is answered behind its last octet,
 * and one that does not say how many there are ends the session. */
#include "smtpd/verbs.h"

#define SIZE_DIGITS_MAX	20

/* chunk-size [ SP end-marker ] */
static bool
chunk_parse(struct span arg, struct session_chunk *c)
{
	struct span size = span_cut(&arg, ' ');
	unsigned long long n;

	arg = span_trim(arg);
	c->last = span_ieq(arg, SPAN_LIT("LAST"));
	if (size.n == 0 || size.n > SIZE_DIGITS_MAX || (arg.n > 0 && !c->last))
		return false;
	for (size_t i = 0; i < size.n; i++)
		if (size.p[i] < '0' || size.p[i] > '9')
			return false;
	c->left = span_u64(size, UINT64_MAX, &n) ? n : UINT64_MAX;
	return true;
}

/* From here on the octets are the chunk's. */
static enum session_state
chunk_begin(struct session *s, struct span arg, struct session_refusal why)
{
	struct session_chunk c = { .told = s->chunk.told, .refusal = why,
	    .back = s->state };

	if (!chunk_parse(arg, &c)) {
		session_abuse(s, 501, "5.5.4", "Syntax: BDAT size [LAST]",
		    "bdat-syntax");
		return ST_CLOSED;
	}
	if (c.left > s->conf->limits.message_size + BODY_EXCESS_MAX) {
		session_abuse(s, 552, "5.3.4", "Message is too large",
		    "flood");
		return ST_CLOSED;
	}
	if (c.left == 0 && !c.last && session_too_chatty(s))
		return ST_CLOSED;
	s->chunk = c;
	return ST_CHUNK;
}

/* An empty chunk has no octet that would move it on. */
static enum session_state
chunk_go(struct session *s)
{
	s->state = ST_CHUNK;
	if (s->chunk.left == 0)
		(void)body_input(s, SPAN_NONE);
	return s->state;
}

enum session_state
chunk_refuse(struct session *s, struct span arg, struct session_refusal why)
{
	return chunk_begin(s, arg, why) == ST_CHUNK ? chunk_go(s) : ST_CLOSED;
}

/* What comes behind the chunk that was refused.  A reason that may pass is
 * said again: a client that looks at the last reply only must not take a full
 * disk for a message that nobody wants. */
static struct session_refusal
failed_before(const struct session *s)
{
	if (s->failure.class == FAULT_TEMP)
		return (struct session_refusal){ s->failure.code,
		    s->failure.enhanced, s->failure.text };
	return (struct session_refusal){ 503, "5.5.1",
	    "The message was refused, RSET first" };
}

enum session_state
cmd_bdat(struct session *s, struct span arg, size_t behind)
{
	static const struct session_refusal none = { .code = 0 };
	bool first = s->state == ST_RCPT;

	(void)behind;
	if (s->chunk.told)
		return chunk_refuse(s, arg, failed_before(s));
	if (chunk_begin(s, arg, none) == ST_CLOSED)
		return ST_CLOSED;
	if (first && body_begin(s, true) == -1)
		body_fail(s, FAULT_TEMP, 451, "4.3.0",
		    "No queue, try again later");
	/* Why keep what will be refused?  Line ends only add to it. */
	if (s->data.size + s->chunk.left > s->conf->limits.message_size)
		body_fail(s, FAULT_PERM, 552, "5.3.4", "Message is too large");
	return chunk_go(s);
}

void
chunk_done(struct session *s)
{
	const struct session_refusal r = s->chunk.refusal;

	s->state = r.code != 0 ? s->chunk.back : ST_BDAT;
	if (r.code != 0) {
		session_refuse(s, r.code, r.enhanced, r.text);
		/* The end of a message that had failed before. */
		if (s->state == ST_BDAT && s->chunk.last) {
			session_forget_message(s);
			s->state = ST_READY;
		}
	} else if (s->failure.class == FAULT_NONE) {
		session_reply(s, 250, "2.0.0", "Chunk taken");
	} else {
		s->chunk.told = true;
		s->ops->rejected(s->arg, span_str(s->failure.text));
		session_refuse(s, s->failure.code, s->failure.enhanced,
		    s->failure.text);
	}
}
