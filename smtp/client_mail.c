/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/client_mail.c - transactions of the client: MAIL, RCPT, DATA or BDAT,
 * and the last replies; RFC 5321 sec 3.3, RFC 2920, RFC 3030, RFC 2033. */
#include "smtp/client_priv.h"

#include <assert.h>
#include <inttypes.h>

#include "base/envelope.h"

/* ---- commands ---- */

bool
client_address_ok(struct span a, bool utf8)
{
	size_t i;

	for (i = 0; i < a.n; i++) {
		unsigned char u = (unsigned char)a.p[i];

		/* Control bytes could end the command. */
		if (u < 0x20 || u == 0x7f || (u > 0x7f && !utf8))
			return false;
	}
	return true;
}

/* ENVID and ORCPT came as words of a command, and go as such or not at all. */
static bool
word_ok(const struct client *c, struct span s)
{
	return s.n > 0 && memchr(s.p, ' ', s.n) == NULL &&
	    client_address_ok(s, c->msg.flags & ENVELOPE_SMTPUTF8);
}

/* RFC 3461 sec 5.2.1: what was asked for, and nothing that was not; but of what
 * goes by REQUIRETLS no report may carry the body (RFC 8689 sec 5). */
static void
send_mail_dsn(struct client *c)
{
	if (c->msg.flags & (ENVELOPE_RET_HDRS | ENVELOPE_REQUIRETLS))
		(void)buf_str(&c->out, " RET=HDRS");
	else if (c->msg.flags & ENVELOPE_RET_FULL)
		(void)buf_str(&c->out, " RET=FULL");
	if (word_ok(c, c->msg.envid))
		(void)buf_printf(&c->out, " ENVID=%.*s",
		    SPAN_FMT(c->msg.envid));
}

/* RFC 8689 sec 2: what is said outside TLS anybody may have said. */
static bool
takes_requiretls(const struct client *c)
{
	return c->is_tls && (c->ehlo.caps & EHLO_REQUIRETLS);
}

static void
send_mail(struct client *c)
{
	(void)buf_printf(&c->out, "MAIL FROM:<%.*s>", SPAN_FMT(c->msg.sender));
	if ((c->ehlo.caps & EHLO_SIZE) && !c->msg.probe)
		(void)buf_printf(&c->out, " SIZE=%" PRIu64, c->msg.size);
	if (c->msg.flags & ENVELOPE_8BIT)
		(void)buf_str(&c->out, " BODY=8BITMIME");
	if (c->msg.flags & ENVELOPE_SMTPUTF8)
		(void)buf_str(&c->out, " SMTPUTF8");
	if ((c->msg.flags & ENVELOPE_REQUIRETLS) && takes_requiretls(c))
		(void)buf_str(&c->out, " REQUIRETLS");
	if (c->ehlo.caps & EHLO_DSN)
		send_mail_dsn(c);
	(void)buf_str(&c->out, "\r\n");
}

static void
send_rcpt_dsn(struct client *c, const struct client_rcpt *r)
{
	static const struct {
		enum notify	 bit;
		const char	*word;
	} words[] = {
		{ NOTIFY_NEVER, "NEVER" }, { NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" }, { NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(r->notify & words[i].bit))
			continue;
		(void)buf_printf(&c->out, "%s%s", before, words[i].word);
		before = ",";
	}
	if (word_ok(c, r->orcpt))
		(void)buf_printf(&c->out, " ORCPT=%.*s", SPAN_FMT(r->orcpt));
}

static void
send_rcpt(struct client *c)
{
	const struct client_rcpt *r = &c->msg.rcpts[c->nsent++];

	(void)buf_printf(&c->out, "RCPT TO:<%.*s>", SPAN_FMT(r->address));
	if (c->ehlo.caps & EHLO_DSN)
		send_rcpt_dsn(c, r);
	(void)buf_str(&c->out, "\r\n");
}

/* ---- the start ---- */

static enum client_event
judge(struct client *c, enum client_step command, size_t rcpt)
{
	c->verdict = command;
	c->rcpt = rcpt;
	return CLIENT_VERDICT;
}

/* A verdict for all, given by ourselves; no transaction is begun. */
static void
refuse(struct client *c, int code, const char *enhanced, const char *text)
{
	reply_make(&c->reply, code, enhanced, text);
	(void)judge(c, CLIENT_MAIL, CLIENT_ALL);
	c->own_verdict = c->say_verdict = c->say_done = true;
}

static bool
refuse_unfit(struct client *c, const struct client_message *m)
{
	unsigned lacks = ~c->ehlo.caps;

	if ((m->flags & ENVELOPE_SMTPUTF8) && (lacks & EHLO_SMTPUTF8))
		refuse(c, 550, "5.6.7",
		    "message needs SMTPUTF8, and the host does not take it");
	else if ((m->flags & ENVELOPE_8BIT) && (lacks & EHLO_8BITMIME))
		refuse(c, 554, "5.6.3", m->unfit != NULL ? m->unfit :
		    "8-bit content, and the host does not take 8BITMIME");
	else if (envelope_tls_wish(m->flags, m->sender.n == 0 && !m->probe) ==
	    TLS_WISH_REQUIRED && !takes_requiretls(c))
		refuse(c, 550, "5.7.30",
		    "message needs REQUIRETLS, and the host does not take it");
	else if (c->ehlo.size_max != 0 && m->size > c->ehlo.size_max &&
	    !m->probe)
		refuse(c, 552, "5.3.4",
		    "message is larger than the SIZE that the host announces");
	else
		return false;
	return true;
}

static void
begin(struct client *c, const struct client_message *m)
{
	c->msg = *m;
	c->nsent = c->nanswered = c->naccepted = 0;
	c->nchunks = c->nchunk_replies = 0;
	c->mail_refused = c->lone_dot = c->own_verdict = false;
	buf_reset(&c->taken);
	c->final_at = 0;
	c->pipelined = (c->ehlo.caps & EHLO_PIPELINING) != 0;
	c->chunked = m->chunks && (c->ehlo.caps & EHLO_CHUNKING) != 0;
	c->data_sent = c->pipelined && !m->probe && !c->chunked;
}

void
client_message(struct client *c, const struct client_message *m, uint64_t now)
{
	assert(c->step == CLIENT_IDLE && m->nrcpts > 0);
	begin(c, m);
	if (refuse_unfit(c, m))
		return;
	if (c->need_rset)
		(void)buf_str(&c->out, "RSET\r\n");
	(void)client_enter(c, c->need_rset ? CLIENT_RSET : CLIENT_MAIL, now);
	/* Without PIPELINING RSET is waited for, see client_on_rset(). */
	if (c->pipelined || !c->need_rset)
		send_mail(c);
	if (!c->pipelined)
		return;
	while (c->nsent < m->nrcpts)
		send_rcpt(c);
	if (c->data_sent)
		(void)buf_str(&c->out, "DATA\r\n");
}

enum client_event
client_message_done(struct client *c, uint64_t now)
{
	(void)client_enter(c, CLIENT_IDLE, now);
	return CLIENT_MESSAGE_DONE;
}

/* ---- replies up to the body ---- */

enum client_event
client_on_rset(struct client *c, uint64_t now)
{
	if (c->reply.code / 100 != 2)
		return client_finish_nonsense(c);
	c->need_rset = false;
	if (!c->pipelined)
		send_mail(c);
	return client_enter(c, CLIENT_MAIL, now);
}

enum client_event
client_on_mail(struct client *c, uint64_t now)
{
	switch (c->reply.code / 100) {
	case 2:
		if (!c->pipelined)
			send_rcpt(c);
		return client_enter(c, CLIENT_RCPT, now);
	case 3:
		return client_finish_nonsense(c);
	}
	c->mail_refused = true;
	if (c->pipelined)
		(void)client_enter(c, CLIENT_RCPT, now);
	else
		c->say_done = true;
	return judge(c, CLIENT_MAIL, CLIENT_ALL);
}

/* Past a RCPT reply: the next one, the message, or nobody is left to get it; a
 * probe has no more to ask. */
static void
after_rcpt(struct client *c, uint64_t now)
{
	if (c->nanswered < c->msg.nrcpts) {
		if (!c->pipelined)
			send_rcpt(c);
		(void)client_enter(c, CLIENT_RCPT, now);
	} else if (c->data_sent) {
		(void)client_enter(c, CLIENT_DATA, now);
	} else if (c->msg.probe || c->naccepted == 0 || c->mail_refused) {
		c->need_rset = true;	/* MAIL may stand */
		c->say_done = true;
	} else if (c->chunked) {
		(void)client_enter(c, CLIENT_BODY, now);
		c->say_body = true;
	} else {
		(void)buf_str(&c->out, "DATA\r\n");
		(void)client_enter(c, CLIENT_DATA, now);
	}
}

enum client_event
client_on_rcpt(struct client *c, uint64_t now)
{
	size_t at = c->nanswered++;
	bool taken = c->reply.code / 100 == 2;

	if (c->reply.code / 100 == 3)
		return client_finish_nonsense(c);
	if (taken)
		c->naccepted++;
	(void)buf_char(&c->taken, taken);
	after_rcpt(c, now);
	/* Behind a refused MAIL a RCPT says nothing of its recipient. */
	if (c->mail_refused || (taken && !c->msg.probe))
		return CLIENT_WAIT;
	return judge(c, CLIENT_RCPT, at);
}

enum client_event
client_on_data(struct client *c, uint64_t now)
{
	switch (c->reply.code / 100) {
	case 2:
		return client_finish_nonsense(c);
	case 3:
		break;
	default:
		c->need_rset = true;
		c->say_done = true;
		if (c->mail_refused || c->naccepted == 0)
			return CLIENT_WAIT;
		return judge(c, CLIENT_DATA, CLIENT_ALL);
	}
	if (c->naccepted > 0 && !c->mail_refused) {
		(void)client_enter(c, CLIENT_BODY, now);
		return CLIENT_SEND_BODY;
	}
	/* Somebody takes recipients behind a refused MAIL: an empty message
	 * could reach them.  And how many replies a dot for nobody has in LMTP
	 * no one can tell: RFC 2033 sec 4.2 wants 503 here. */
	if (c->naccepted > 0 || c->setup.lmtp)
		return client_finish_nonsense(c);
	/* RFC 2920 sec 3.1: DATA was pipelined and accepted for nobody. */
	c->lone_dot = true;
	(void)buf_str(&c->out, ".\r\n");
	return client_enter(c, CLIENT_FINAL, now);
}

/* ---- the body ---- */

void
client_body_moved(struct client *c, uint64_t now)
{
	if (c->step == CLIENT_BODY)
		(void)client_enter(c, CLIENT_BODY, now);
}

void
client_body_end(struct client *c, uint64_t now)
{
	assert(c->step == CLIENT_BODY && !c->chunked);
	(void)client_enter(c, CLIENT_FINAL, now);
}

bool
client_chunk_due(const struct client *c)
{
	return c->step == CLIENT_BODY &&
	    (c->pipelined || c->nchunks == c->nchunk_replies);
}

void
client_chunk(struct client *c, size_t n, bool last, struct buf *out,
    uint64_t now)
{
	assert(c->chunked && client_chunk_due(c));
	(void)buf_printf(out, "BDAT %zu%s\r\n", n, last ? " LAST" : "");
	c->nchunks++;
	(void)client_enter(c, last ? CLIENT_FINAL : CLIENT_BODY, now);
}

/* The reply to a chunk that is not the last.  After a refusal the message is
 * lost (RFC 3030 sec 2), and more chunks of it may be on their way: the
 * connection ends. */
static enum client_event
on_chunk(struct client *c, uint64_t now)
{
	if (c->reply.code >= 400)
		return client_finish(c, CLIENT_END_REPLY);
	if (c->reply.code / 100 == 3 || c->nchunk_replies == c->nchunks)
		return client_finish_nonsense(c);
	c->nchunk_replies++;
	(void)client_enter(c, c->step, now);
	return c->step == CLIENT_BODY && !c->pipelined ? CLIENT_SEND_MORE :
	    CLIENT_WAIT;
}

/* The final dot is not sent yet: a refusal is one, but the connection is in
 * the middle of a body and of no more use; and an acceptance is of something
 * else than this message. */
enum client_event
client_on_body(struct client *c, uint64_t now)
{
	if (c->chunked)
		return on_chunk(c, now);
	if (c->reply.code < 400)
		return client_finish_nonsense(c);
	return client_finish(c, CLIENT_END_REPLY);
}

/* ---- the last replies ---- */

static size_t
next_taken(const struct client *c)
{
	struct span taken = buf_get(&c->taken);
	size_t at = c->final_at;

	while (at < taken.n && !taken.p[at])
		at++;
	return at;
}

/* RFC 2033 sec 4.2: a reply for each recipient that was taken, in their order. */
static enum client_event
on_final_lmtp(struct client *c, uint64_t now)
{
	size_t at = next_taken(c);

	c->final_at = at + 1;
	(void)client_enter(c, CLIENT_FINAL, now);
	if (next_taken(c) == c->taken.len)
		c->say_done = true;
	return judge(c, CLIENT_FINAL, at);
}

enum client_event
client_on_final(struct client *c, uint64_t now)
{
	if (c->chunked && c->nchunk_replies + 1 < c->nchunks)
		return on_chunk(c, now);
	if (c->reply.code / 100 == 3)
		return client_finish_nonsense(c);
	if (c->lone_dot)
		return client_message_done(c, now);
	if (c->setup.lmtp)
		return on_final_lmtp(c, now);
	c->say_done = true;
	return judge(c, CLIENT_FINAL, CLIENT_ALL);
}
