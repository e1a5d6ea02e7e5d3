/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/replay/smtpd/stand.c - see stand.h.  Breaking the contract of
 * smtpd/session.h, on either side, ends the test program. */
#include "tests/replay/smtpd/stand.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST	(64u * 1024 * 1024)

static void
require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "stand: broken contract: %s\n", what);
	abort();
}

/* ---- ops ---- */

static int
op_send(void *arg, struct span s)
{
	struct stand *t = arg;

	require(s.n > 0, "empty send");
	if (t->send_fails)
		return -1;
	require(!t->closed, "send after close");
	require(buf_span(&t->out, s) == 0, "output is bounded");
	return 0;
}

static uint64_t
op_wall_ms(void *arg)
{
	(void)arg;
	return STAND_NOW;
}

static enum session_room
op_room(void *arg)
{
	struct stand *t = arg;

	return t->room;
}

static int
op_spool_open(void *arg)
{
	struct stand *t = arg;

	require(!t->spool_open, "one file at a time");
	if (t->no_spool || t->room == ROOM_NONE)
		return -1;
	t->spool_open = true;
	t->files++;
	buf_reset(&t->file);
	return 0;
}

static int
op_spool_write(void *arg, struct span s, struct fault *f)
{
	struct stand *t = arg;

	require(t->spool_open && s.n > 0, "write to an open file");
	if (t->write_code != 0)
		return fault_set(f, FAULT_TEMP, t->write_code,
		    t->write_code == 452 ? "4.3.1" : "4.3.0", "disk");
	require(buf_span(&t->file, s) == 0, "file is bounded");
	return 0;
}

static void
op_abort(void *arg)
{
	struct stand *t = arg;

	t->aborts++;
	t->spool_open = false;
	buf_reset(&t->file);
}

/* What MAIL and RCPTs asked for about notifications. */
static void
put_asked(struct buf *b, const struct session_message *m)
{
	struct span rest = buf_get(&m->rcpts);
	struct ipc_rcpt r;

	buf_reset(b);
	buf_printf(b, "%s %s", m->flags & ENVELOPE_RET_FULL ? "full" :
	    m->flags & ENVELOPE_RET_HDRS ? "hdrs" : "-",
	    m->envid[0] == '\0' ? "-" : m->envid);
	while (ipc_get_rcpt(&rest, &r) == 1) {
		buf_printf(b, " %s%s%s%s%s:", r.notify == 0 ? "-" : "",
		    r.notify & NOTIFY_NEVER ? "N" : "",
		    r.notify & NOTIFY_SUCCESS ? "S" : "",
		    r.notify & NOTIFY_FAILURE ? "F" : "",
		    r.notify & NOTIFY_DELAY ? "D" : "");
		buf_span(b, r.orcpt.n == 0 ? SPAN_LIT("-") : r.orcpt);
	}
}

static void
put_forwarded(struct buf *b, const struct smtp_xforward *x)
{
	static const struct smtp_xforward none;
	const char *values[7];

	if (x == NULL)
		x = &none;
	values[0] = x->name, values[1] = x->addr, values[2] = x->port;
	values[3] = x->proto, values[4] = x->helo, values[5] = x->ident;
	values[6] = x->source;
	buf_reset(b);
	for (int i = 0; i < 7; i++)
		buf_printf(b, "%s%s", i == 0 ? "" : " ",
		    values[i][0] == '\0' ? "-" : values[i]);
}

static int
op_commit(void *arg, const struct session_message *m)
{
	struct stand *t = arg;
	struct span rest = buf_get(&m->rcpts);
	struct ipc_rcpt rcpt;
	unsigned n = 0;

	require(t->room == ROOM_NOW, "commit without room");
	require(m->in_file == t->spool_open, "in_file");
	require(id_valid(span_str(m->id)), "id");
	buf_reset(&t->body);
	buf_span(&t->body, m->in_file ? buf_get(&t->file) :
	    buf_get(&m->body));
	require(m->size == t->body.len, "size is that of the body");
	require(m->in_file || m->size <= SESSION_INLINE_MAX, "inline size");
	buf_reset(&t->rcpts);
	while (ipc_get_rcpt(&rest, &rcpt) == 1) {
		buf_printf(&t->rcpts, "%s%.*s", n == 0 ? "" : ",",
		    SPAN_FMT(rcpt.address));
		n++;
	}
	require(n == m->nrcpts && n > 0, "recipients");
	put_asked(&t->asked, m);
	put_forwarded(&t->forwarded, t->s.forward);
	memcpy(t->id, m->id, sizeof t->id);
	memcpy(t->sender, m->sender.text, sizeof t->sender);
	t->flags = m->flags;
	t->in_file = m->in_file;
	t->size = m->size;
	t->commits++;
	return 0;
}

static uint64_t
op_verify(void *arg, struct span address, enum tls_wish wish)
{
	static const struct {
		const char	*start, *dsn;
		int		 code;
		enum tls_wish	 wish;
	} said[] = {
		{ "no", "5.1.1", 550, TLS_WISH_NONE },
		{ "grey", "4.2.0", 451, TLS_WISH_NONE },
		{ "bare", "5.7.30", 550, TLS_WISH_REQUIRED },
	};
	struct stand *t = arg;
	unsigned n = t->nquestions;

	require(n < 64, "questions are bounded");
	if (t->room == ROOM_NONE)
		return 0;
	require(t->room == ROOM_NOW, "question without room");
	t->questions[n].number = ++t->last_question;
	t->questions[n].code = 250;
	t->questions[n].dsn = "2.1.5";
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		if (span_istarts(address, span_str(said[i].start)) &&
		    wish >= said[i].wish) {
			t->questions[n].code = said[i].code;
			t->questions[n].dsn = said[i].dsn;
		}
	t->last_wish = wish;
	t->questions[n].wait = span_istarts(address, SPAN_LIT("wait"));
	t->nquestions++;
	if (t->nquestions > t->most_questions)
		t->most_questions = t->nquestions;
	return t->last_question;
}

static void
op_accepted(void *arg, const struct session_message *m)
{
	struct stand *t = arg;

	require(m->nrcpts > 0, "accepted message is whole");
	t->accepted++;
	t->spool_open = false;
}

static void
op_met(void *arg)
{
	struct stand *t = arg;

	require(t->met == 0, "met once");
	t->met++;
}

static void
op_rejected(void *arg, struct span what)
{
	struct stand *t = arg;

	require(what.n > 0, "rejected for a reason");
	t->rejected++;
}

static bool
op_count(void *arg, enum session_count what)
{
	struct stand *t = arg;

	return t->counted[what]++ < t->may_count[what];
}

static void
op_abuse(void *arg, const char *kind)
{
	struct stand *t = arg;

	(void)snprintf(t->abuse, sizeof t->abuse, "%s", kind);
}

static bool
op_tls_ready(void *arg)
{
	const struct stand *t = arg;

	return !t->no_tls;
}

static const struct session_ops ops = {
	op_send, op_wall_ms, op_room, op_spool_open, op_spool_write, op_abort,
	op_commit, op_verify, op_accepted, op_met, op_rejected, op_abuse,
	op_count, op_tls_ready,
};

/* ---- the owner ---- */

void
stand_init(struct stand *t)
{
	static const uint8_t client[4] = { 192, 0, 2, 7 };

	*t = (struct stand){
		.conf = { .hostname = "mx.test",
		    .postmaster = "postmaster@example.org", .naccepts = 1,
		    .limits = { .message_size = 50u << 20,
		    .recipients = 1000, .header_size = 1u << 20,
		    .hops = 100 } },
		.listen = { .label = "test", .nrelay_from = 1 },
		.accept = { .pattern = "example.org",
		    .recipients = RECIPIENTS_ANY },
		.room = ROOM_NOW,
		.may_count = { UINT_MAX, UINT_MAX, UINT_MAX },
		.spool = { .code = 250 }, .commit = { .code = 250 },
	};
	addr_from_ip4(&t->client, client);
	require(prefix_parse(SPAN_LIT("192.0.2.0/24"), &t->relay_from),
	    "prefix");
	buf_init(&t->in, MOST);
	buf_init(&t->out, MOST);
	buf_init(&t->file, MOST);
	buf_init(&t->body, MOST);
	buf_init(&t->rcpts, MOST);
	buf_init(&t->asked, MOST);
	buf_init(&t->forwarded, MOST);
}

void
stand_rules(struct stand *t)
{
	require(prefix_parse(SPAN_LIT("0.0.0.0/0"), &t->rules.net), "prefix");
	t->rules.require = REQUIRE_ENCRYPTED;
	t->conf.nclients = 1;
}

void
stand_verify(struct stand *t)
{
	t->accept.recipients = RECIPIENTS_VERIFY;
}

void
stand_list(struct stand *t, const char *entries)
{
	size_t n = (size_t)snprintf(t->list, sizeof t->list, "%s,", entries);

	require(n < sizeof t->list, "list");
	for (size_t i = 0; i < n; i++)
		if (t->list[i] == ',')
			t->list[i] = '\n';
	t->accept.recipients = RECIPIENTS_FILE;
	t->accept.table = span_of(t->list, n);
}

void
stand_start(struct stand *t)
{
	t->conf.clients = &t->rules;
	t->conf.accepts = &t->accept;
	t->listen.relay_from = &t->relay_from;
	if (t->listen.greeting_name == NULL)
		t->listen.greeting_name = t->conf.hostname;
	session_start(&t->s, &ops, t, &t->conf, &t->listen, &t->client);
	stand_run(t);
}

/* The newest question first, so that order is the session's doing. */
static bool
queue_verifies(struct stand *t, bool waiting)
{
	for (unsigned i = t->nquestions; i > 0; i--) {
		uint64_t number = t->questions[i - 1].number;
		struct span dsn = span_str(t->questions[i - 1].dsn);
		int code = t->questions[i - 1].code;

		if (t->questions[i - 1].wait && !waiting)
			continue;
		t->nquestions--;
		memmove(&t->questions[i - 1], &t->questions[i],
		    (t->nquestions - i + 1) * sizeof t->questions[0]);
		session_verified(&t->s, number, code, dsn);
		return true;
	}
	return false;
}

void
stand_answer_waiting(struct stand *t)
{
	while (queue_verifies(t, true))
		;
	stand_run(t);
}

/* One answer of the queue, if one is open and it gives one. */
static bool
queue_answers(struct stand *t)
{
	struct fault f;

	if (queue_verifies(t, false))
		return true;
	if (t->s.state == ST_SPOOL && t->spool.code != 0) {
		if (t->spool.code == 250) {
			session_spooled(&t->s, NULL);
			return true;
		}
		t->spool_open = false;
		fault_set(&f, t->spool.code < 500 ? FAULT_TEMP : FAULT_PERM,
		    t->spool.code, t->spool.enhanced, "%s", t->spool.text);
		session_spooled(&t->s, &f);
		return true;
	}
	if (session_open_commit(&t->s) && t->commit.code != 0) {
		t->spool_open = false;
		session_committed(&t->s, t->commit.code,
		    span_str(t->commit.enhanced), span_str(t->commit.text));
		return true;
	}
	return false;
}

void
stand_run(struct stand *t)
{
	size_t used;

	if (t->closed || t->tls_asked)
		return;
	do {
		used = session_input(&t->s, buf_get(&t->in));
		require(used <= t->in.len, "used what was there");
		buf_consume(&t->in, used);
		if (session_wants(&t->s) == SESSION_CLOSE)
			t->closed = true;
		if (session_wants(&t->s) == SESSION_TLS) {
			/* As tls/channel.c asserts. */
			require(t->in.len == 0, "nothing ahead of TLS");
			t->tls_asked = true;
		}
	} while (!t->closed && !t->tls_asked && queue_answers(t));
	if (t->closed)
		buf_reset(&t->in);
	/* What is kept back waits for the queue, or is less than a line. */
	require(t->closed || session_wants(&t->s) == SESSION_WAIT ||
	    t->in.len <= SMTP_LINE_MAX + 2, "input is bounded");
}

void
stand_feed(struct stand *t, struct span s)
{
	if (t->closed)
		return;
	/* Cleartext into a handshake fails it. */
	if (t->tls_asked) {
		t->closed = true;
		return;
	}
	require(buf_span(&t->in, s) == 0, "input");
	stand_run(t);
}

void
stand_tls(struct stand *t)
{
	struct tls_facts facts = { .version = "TLS1.3",
	    .cipher = "AES-256-GCM", .kx = "X25519", .spki = "none",
	    .weak = "none" };

	require(t->tls_asked && !t->closed, "a handshake was asked for");
	t->tls_asked = false;
	session_secured(&t->s, &facts);
	stand_run(t);
}

void
stand_queue_lost(struct stand *t)
{
	t->room = ROOM_NONE;
	t->spool_open = false;
	t->nquestions = 0;
	session_queue_lost(&t->s);
	stand_run(t);
}

void
stand_end(struct stand *t)
{
	if (!t->ended)
		session_end(&t->s);
	t->ended = t->closed = true;
}

void
stand_free(struct stand *t)
{
	stand_end(t);
	buf_free(&t->in);
	buf_free(&t->out);
	buf_free(&t->file);
	buf_free(&t->body);
	buf_free(&t->rcpts);
	buf_free(&t->asked);
	buf_free(&t->forwarded);
}
