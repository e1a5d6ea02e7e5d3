/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/role.c - the role between a queue, a ledger and a parent
 * that the test plays, taking mail from clients on loopback. */
#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "smtpd/smtpd.h"
#include "smtpd/smtpd_priv.h"
#include "tests/unit/tls/fixture.h"

#define START	"EHLO c.test\r\nMAIL FROM:<a@c.test> BODY=8BITMIME\r\n"	\
		"RCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"

struct rig {
	int		 keys[2];	/* our end of its keys socket, and keys' */
	struct fix	 fix;		/* loop and credentials */
	struct conf	 conf;
	struct conf_listen listen;
	struct conf_accept accept;
	struct addr	 at;
	struct role_env	 env;
	struct link	*queue, *ledger, *parent;	/* the far ends */
	bool		 (*done)(struct rig *);

	/* the client */
	struct channel	*chan;
	struct buf	 got;
	const char	*until;
	bool		 connected, secured, ended;
	struct loop_timer *drip;

	/* what the far ends were told */
	uint64_t	 txn, size, bytes;
	unsigned	 begins, rcpts, commits, aborts, opens;
	unsigned	 sessions, deliveries, drained;
	bool		 in_file, eight;
	struct buf	 body;
	int		 file;		/* ours of the one handed out */
	char		 sender[64], helo[64], version[16];
	unsigned	 reached, how;
};

static void
progress(struct rig *g)
{
	if (g->done != NULL && g->done(g))
		loop_stop(g->fix.loop);
}

static void
run(struct rig *g, bool (*done)(struct rig *))
{
	g->done = done;
	g->fix.timed_out = false;
	loop_timer_set(g->fix.guard, 20000);
	if (!done(g))
		loop_run(g->fix.loop);
	loop_timer_stop(g->fix.guard);
	g->done = NULL;
	ck_assert_msg(!g->fix.timed_out, "nothing happened for too long; "
	    "the client got: %s", buf_cstr(&g->got));
}

/* ---- the far ends ---- */

static void
take_rcpts(struct rig *g, struct span list)
{
	struct ipc_rcpt r;

	while (ipc_get_rcpt(&list, &r) == 1)
		g->rcpts++;
}

static void
take_message(struct rig *g, const struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_SPOOL_OPEN:
		g->opens++;
		g->txn = m->u.spool_open.txn;
		break;
	case IPC_MSG_BEGIN:
		g->begins++;
		g->eight = m->u.msg_begin.flags & ENVELOPE_8BIT;
		ck_assert(id_valid(m->u.msg_begin.id));
		ck_assert(id_valid(m->u.msg_begin.session));
		ck_assert(span_eq(m->u.msg_begin.client, SPAN_LIT("127.0.0.1")));
		(void)span_copy(m->u.msg_begin.sender, g->sender,
		    sizeof g->sender);
		break;
	case IPC_MSG_RCPTS:
		take_rcpts(g, m->u.msg_rcpts.rcpts);
		break;
	case IPC_MSG_COMMIT:
		g->commits++;
		g->txn = m->u.msg_commit.txn;
		g->size = m->u.msg_commit.size;
		g->in_file = m->u.msg_commit.in_file;
		buf_reset(&g->body);
		buf_span(&g->body, m->u.msg_commit.body);
		break;
	case IPC_MSG_ABORT:
		g->aborts++;
		ck_assert_uint_eq(m->u.msg_abort.txn, g->txn);
		break;
	case IPC_FACT_SESSION:
		g->sessions++;
		(void)span_copy(m->u.fact_session.mx, g->helo, sizeof g->helo);
		break;
	case IPC_FACT_DELIVERY:
		g->deliveries++;
		g->bytes = m->u.fact_delivery.bytes;
		g->reached = m->u.fact_delivery.reached;
		g->how = m->u.fact_delivery.how;
		(void)span_copy(m->u.fact_delivery.tls, g->version,
		    sizeof g->version);
		break;
	case IPC_DRAINED:
		g->drained++;
		break;
	default:
		ck_abort_msg("unexpected %s", ipc_name(m->type));
	}
}

static void
far_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)l;
	take_message(ctx, m);
	progress(ctx);
}

static void
far_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l;
	ck_abort_msg("a link ended: %s", why);
}

static const struct link_ops far_ops = { far_message, NULL, far_closed };

/* ---- the role's ends ---- */

static void
near_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct rig *g = ctx;

	for (size_t i = 0; i < smtpd_ops.nhandlers; i++) {
		if (smtpd_ops.handlers[i].type == m->type) {
			smtpd_ops.handlers[i].run(&g->env, l, m);
			return;
		}
	}
	ck_abort_msg("no handler for %s", ipc_name(m->type));
}

static void
near_room(void *ctx, struct link *l)
{
	struct rig *g = ctx;

	smtpd_ops.room(&g->env, l);
}

static void
near_closed(void *ctx, struct link *l, const char *why)
{
	struct rig *g = ctx;
	enum role role = link_role(l);

	(void)why;
	g->env.peer[role][1] = NULL;
	smtpd_ops.peer_down(&g->env, role, 1);
}

static const struct link_ops near_ops = { near_message, near_room, near_closed };

static struct link *
connect_role(struct rig *g, enum role far, struct link **near)
{
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	*near = link_new(g->fix.loop, sv[0], ROLE_SMTPD, far, 1, &near_ops, g);
	return link_new(g->fix.loop, sv[1], far, ROLE_SMTPD, 1, &far_ops, g);
}

static void
new_queue(struct rig *g)
{
	g->queue = connect_role(g, ROLE_QUEUE, &g->env.peer[ROLE_QUEUE][1]);
}

static void
listen_on_loopback(struct rig *g)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	addr_from_ip4(&g->at, (const uint8_t[]){ 127, 0, 0, 1 });
	g->at.port = 0;
	n = addr_to_sockaddr(&g->at, &ss);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	n = sizeof ss;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	addr_from_sockaddr(&g->at, (struct sockaddr *)&ss);
	ck_assert_int_eq(ipc_send_listen(g->parent,
	    &(struct ipc_listen){ .index = 0 }, fd), 0);
}

/* ---- the client ---- */

static void
client_input(void *arg)
{
	struct rig *g = arg;

	buf_span(&g->got, channel_input(g->chan));
	channel_consume(g->chan, channel_input(g->chan).n);
	progress(g);
}

static void
client_secured(void *arg)
{
	struct rig *g = arg;

	g->secured = true;
	progress(g);
}

static void
client_ended(void *arg, enum channel_end end, bool in_handshake,
    const struct fault *f)
{
	struct rig *g = arg;

	(void)end, (void)in_handshake, (void)f;
	g->ended = true;
	progress(g);
}

static void
client_connected(void *arg)
{
	struct rig *g = arg;

	g->connected = true;
	progress(g);
}

static void
client_nothing(void *arg)
{
	(void)arg;
}

static const struct channel_ops client_ops = {
	.connected = client_connected, .input = client_input,
	.drained = client_nothing, .secured = client_secured,
	.ended = client_ended,
};

static bool
heard(struct rig *g)
{
	return strstr(buf_cstr(&g->got), g->until) != NULL;
}

/* Say `words`, then read until `reply` is among what was said. */
static void
talk(struct rig *g, const char *words, const char *reply)
{
	buf_reset(&g->got);
	if (words[0] != '\0')
		ck_assert_int_eq(channel_send(g->chan, span_str(words)), 0);
	g->until = reply;
	if (reply != NULL)
		run(g, heard);
}

static bool
is_connected(struct rig *g)
{
	return g->connected;
}

/* A connection, of which nothing is heard yet. */
static void
call_quietly(struct rig *g)
{
	struct fault f;

	channel_close(&g->chan);
	g->connected = g->secured = g->ended = false;
	buf_reset(&g->got);
	g->chan = channel_connect(g->fix.loop, &g->at, NULL, &client_ops, g, &f);
	ck_assert_ptr_nonnull(g->chan);
	run(g, is_connected);
}

static void
call(struct rig *g)
{
	call_quietly(g);
	talk(g, "", "220 mx.test ESMTP");
}

/* ---- the rig ---- */

static struct rig *
rig_open(void)
{
	static struct rig g;
	static struct prefix loopback;
	struct smtpd *d;
	struct fault f;

	memset(&g, 0, sizeof g);
	fix_open(&g.fix, true, false);
	ck_assert(prefix_parse(SPAN_LIT("127.0.0.0/8"), &loopback));
	g.listen = (struct conf_listen){ .label = "test",
	    .greeting_name = "mx.test",
	    .relay_from = &loopback, .nrelay_from = 1 };
	g.conf = (struct conf){ .hostname = "mx.test", .listens = &g.listen,
	    .nlistens = 1, .limits = {
		.message_size = 50u << 20, .recipients = 1000,
		.header_size = 1u << 20, .hops = 100,
		.timeout = { 300000, 300000 },
		.session_time = 3600000, .min_rate = 100 } };
	g.file = -1;
	buf_init(&g.got, 1u << 20);
	buf_init(&g.body, 1u << 20);
	g.env = (struct role_env){ .role = ROLE_SMTPD, .index = 1,
	    .loop = g.fix.loop, .conf = &g.conf, .ops = &smtpd_ops,
	    .keys_fd = -1 };
	g.parent = connect_role(&g, ROLE_PARENT, &g.env.parent);
	ck_assert_int_eq(smtpd_ops.start(&g.env, &f), 0);
	/* As if keys had answered: that way has tests in tls/ and keys/. */
	d = g.env.state;
	d->creds = tls_creds_ref(g.fix.server_creds);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    g.keys), 0);
	g.env.keys_fd = g.keys[0];
	g.ledger = connect_role(&g, ROLE_LEDGER, &g.env.peer[ROLE_LEDGER][1]);
	new_queue(&g);
	listen_on_loopback(&g);
	call(&g);
	return &g;
}

static void
rig_close(struct rig *g)
{
	channel_close(&g->chan);
	if (g->file != -1)
		close(g->file);
	close(g->keys[0]);
	if (g->keys[1] != -1)
		close(g->keys[1]);
	smtpd_ops.stop(&g->env);
	link_close(&g->queue);
	link_close(&g->ledger);
	link_close(&g->parent);
	link_close(&g->env.parent);
	link_close(&g->env.peer[ROLE_QUEUE][1]);
	link_close(&g->env.peer[ROLE_LEDGER][1]);
	buf_free(&g->got);
	buf_free(&g->body);
	fix_close(&g->fix);
}

static bool
is_committed(struct rig *g)
{
	return g->commits > 0;
}

static bool
is_delivery_told(struct rig *g)
{
	return g->deliveries > 0;
}

static bool
is_ended(struct rig *g)
{
	return g->ended;
}

static bool
is_opened(struct rig *g)
{
	return g->opens > 0;
}

static bool
is_aborted(struct rig *g)
{
	return g->aborts > 0;
}

static bool
is_drained(struct rig *g)
{
	return g->drained > 0;
}

static void
answer(struct rig *g, unsigned code)
{
	ck_assert_int_eq(ipc_send_msg_committed(g->queue,
	    &(struct ipc_msg_committed){ .txn = g->txn,
	    .code = (uint16_t)code }, -1), 0);
}

/* The end of the message, as far as the queue's MSG_COMMIT. */
static void
hand_over(struct rig *g, const char *body)
{
	g->commits = 0;
	talk(g, body, NULL);
	run(g, is_committed);
	ck_assert_uint_eq(g->got.len, 0);	/* nothing ahead of the queue */
}

/* ---- tests ---- */

START_TEST(takes_a_message)
{
	struct rig *g = rig_open();
	struct span body;

	talk(g, START, "354 ");
	hand_over(g, "Subject: x\r\n\r\nhi\r\n.\r\n");
	ck_assert_str_eq(g->sender, "a@c.test");
	ck_assert_uint_eq(g->begins, 1);
	ck_assert_uint_eq(g->rcpts, 2);
	ck_assert(g->eight && !g->in_file);
	body = buf_get(&g->body);
	ck_assert_uint_eq(g->size, body.n);
	ck_assert(span_istarts(body, SPAN_LIT("Received: from c.test")));
	ck_assert(memmem(body.p, body.n, "with ESMTP\r\n", 12) != NULL);
	ck_assert(memcmp(body.p + body.n - 18, "Subject: x\r\n\r\nhi\r\n",
	    18) == 0);
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	run(g, is_delivery_told);
	ck_assert_uint_eq(g->sessions, 1);
	ck_assert_str_eq(g->helo, "c.test");
	ck_assert_uint_eq(g->reached, LEVEL_CLEAR);
	ck_assert_uint_eq(g->bytes, g->size);
	talk(g, "QUIT\r\n", "221 ");
	run(g, is_ended);
	rig_close(g);
}
END_TEST

static bool
is_secured(struct rig *g)
{
	return g->secured;
}

/* RFC 8314 sec 3: nothing is said ahead of the handshake. */
START_TEST(implicit_tls)
{
	struct rig *g = rig_open();

	g->listen.tls = LISTEN_IMPLICIT;
	g->listen.client_certificates = CLIENT_CERTIFICATES_REQUEST;
	call_quietly(g);
	ck_assert_int_eq(channel_start_client(g->chan, g->fix.client_creds,
	    &(struct tls_offer){ .sni = "mx.test" }), 0);
	run(g, is_secured);
	talk(g, "", "220 mx.test ESMTP");
	talk(g, START, "354 ");
	ck_assert(strstr(buf_cstr(&g->got), "STARTTLS") == NULL);
	hand_over(g, "hi\r\n.\r\n");
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	run(g, is_delivery_told);
	ck_assert_uint_eq(g->reached, LEVEL_ENCRYPTED);
	rig_close(g);
}
END_TEST

/* Who speaks in clear there is let go, and that is that. */
START_TEST(implicit_tls_and_plain_text)
{
	struct rig *g = rig_open();

	g->listen.tls = LISTEN_IMPLICIT;
	call_quietly(g);
	ck_assert_int_eq(channel_send(g->chan,
	    SPAN_LIT("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\n")), 0);
	run(g, is_ended);
	/* An alert at most: nothing that reads like a reply. */
	ck_assert_uint_le(g->got.len, 7);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

/* keys died and nobody said so yet: 454, not a handshake that breaks. */
START_TEST(keys_gone_is_454)			/* RFC 3207 sec 4 */
{
	struct rig *g = rig_open();

	close(g->keys[1]);
	g->keys[1] = -1;
	talk(g, "EHLO c.test\r\n", "250-STARTTLS\r\n");
	talk(g, "STARTTLS\r\n", "454 4.7.0");
	rig_close(g);
}
END_TEST

START_TEST(takes_a_message_over_tls)		/* RFC 3207 sec 4.2 */
{
	struct rig *g = rig_open();
	struct span body;

	talk(g, "EHLO c.test\r\n", "250-STARTTLS\r\n");
	talk(g, "STARTTLS\r\n", "220 2.0.0");
	ck_assert_int_eq(channel_start_client(g->chan, g->fix.client_creds,
	    &(struct tls_offer){ .sni = "mx.test" }), 0);
	run(g, is_secured);
	talk(g, "MAIL FROM:<a@c.test>\r\n", "503 5.5.1 EHLO first");
	talk(g, START, "354 ");
	ck_assert(strstr(buf_cstr(&g->got), "STARTTLS") == NULL);
	hand_over(g, "hi\r\n.\r\n");
	body = buf_get(&g->body);
	ck_assert(memmem(body.p, body.n, "with ESMTPS\r\n\t(TLS1.3 ", 22) !=
	    NULL);
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	run(g, is_delivery_told);
	ck_assert_uint_eq(g->reached, LEVEL_ENCRYPTED);
	ck_assert_uint_eq(g->how, HOW_OPPORTUNISTIC);
	ck_assert_str_eq(g->version, "TLS1.3");
	rig_close(g);
}
END_TEST

START_TEST(injection_closes)			/* CVE-2011-0411 */
{
	struct rig *g = rig_open();

	talk(g, "EHLO c.test\r\nSTARTTLS\r\nNOOP\r\n", "501 5.5.2");
	run(g, is_ended);
	ck_assert(strstr(buf_cstr(&g->got), "220 2") == NULL);
	rig_close(g);
}
END_TEST

/* Cleartext where the ClientHello should be ends it without a reply. */
START_TEST(cleartext_in_handshake_closes)
{
	struct rig *g = rig_open();

	talk(g, "EHLO c.test\r\n", "250 ENHANCEDSTATUSCODES");
	talk(g, "STARTTLS\r\n", "220 2.0.0");
	talk(g, "MAIL FROM:<evil@c.test>\r\n", NULL);
	run(g, is_ended);
	ck_assert(strstr(buf_cstr(&g->got), "250") == NULL);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

START_TEST(queue_lost_is_451)
{
	struct rig *g = rig_open();

	talk(g, START, "354 ");
	hand_over(g, "hi\r\n.\r\n");
	link_close(&g->queue);
	talk(g, "", "451 4.3.0");
	talk(g, START, "451 4.3.0 No queue");
	new_queue(g);
	talk(g, START, "354 ");
	hand_over(g, "hi\r\n.\r\n");
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	ck_assert_uint_eq(g->aborts, 0);
	rig_close(g);
}
END_TEST

/* An answer to what is no longer asked is for nobody. */
START_TEST(answers_for_nobody)
{
	struct rig *g = rig_open();

	talk(g, START, "354 ");
	hand_over(g, "hi\r\n.\r\n");
	g->txn += 1u << 16;
	answer(g, 250);
	g->txn = 0;
	answer(g, 250);
	g->txn = UINT64_MAX;
	answer(g, 250);
	g->commits = 0;
	link_close(&g->queue);
	talk(g, "", "451 4.3.0");
	ck_assert(strstr(buf_cstr(&g->got), "250") == NULL);
	ck_assert_uint_eq(g->deliveries, 0);
	rig_close(g);
}
END_TEST

static void
start_large(struct rig *g)
{
	static char big[70001];

	memset(big, 'x', sizeof big - 1);
	talk(g, START, "354 ");
	talk(g, big, NULL);
	run(g, is_opened);
}

static void
give_file(struct rig *g)
{
	g->file = memfd_create("spool", MFD_CLOEXEC);
	ck_assert_int_ne(g->file, -1);
	ck_assert_int_eq(ipc_send_spool_opened(g->queue,
	    &(struct ipc_spool_opened){ .txn = g->txn, .code = 250 },
	    dup(g->file)), 0);
}

START_TEST(large_goes_to_a_file)
{
	struct rig *g = rig_open();
	struct stat st;
	uint64_t txn;

	start_large(g);
	give_file(g);
	txn = g->txn;
	hand_over(g, "\r\n.\r\n");
	ck_assert_uint_eq(g->txn, txn);
	ck_assert(g->in_file);
	ck_assert_uint_eq(g->body.len, 0);
	ck_assert_int_eq(fstat(g->file, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, g->size);
	ck_assert_uint_gt(g->size, 70002);
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	rig_close(g);
}
END_TEST

START_TEST(large_refused_is_452)
{
	struct rig *g = rig_open();

	start_large(g);
	ck_assert_int_eq(ipc_send_spool_opened(g->queue,
	    &(struct ipc_spool_opened){ .txn = g->txn, .code = 452,
	    .enhanced = SPAN_LIT("4.3.1"), .text = SPAN_LIT("Disk is full") },
	    -1), 0);
	talk(g, "\r\n.\r\n", "452 4.3.1 Disk is full");
	ck_assert_uint_eq(g->commits, 0);
	rig_close(g);
}
END_TEST

START_TEST(large_left_is_aborted)
{
	struct rig *g = rig_open();

	start_large(g);
	give_file(g);
	channel_close(&g->chan);
	run(g, is_aborted);
	ck_assert_uint_eq(g->commits, 0);
	rig_close(g);
}
END_TEST

static bool
is_alone(struct rig *g)
{
	struct smtpd *d = g->env.state;

	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL && d->clients[i]->ch != NULL)
			return false;
	return true;
}

struct ticker {
	struct rig	*g;
	struct loop_timer *timer;
};

/* No message tells the test that the client's end has arrived. */
static void
tick(void *arg)
{
	struct ticker *t = arg;

	loop_timer_set(t->timer, 5);
	progress(t->g);
}

/* RFC 1047: gone behind the dot; what the queue has is told and delivered. */
START_TEST(left_behind_the_dot)
{
	struct rig *g = rig_open();
	struct ticker t = { .g = g };
	struct smtpd *d = g->env.state;

	talk(g, START, "354 ");
	hand_over(g, "hi\r\n.\r\n");
	channel_close(&g->chan);
	t.timer = loop_timer_new(g->fix.loop, tick, &t);
	ck_assert_ptr_nonnull(t.timer);
	loop_timer_set(t.timer, 5);
	run(g, is_alone);
	ck_assert_uint_eq(d->nclients, 1);
	answer(g, 250);
	run(g, is_delivery_told);
	ck_assert_uint_eq(d->nclients, 0);
	ck_assert_uint_eq(g->aborts, 0);
	loop_timer_close(&t.timer);
	rig_close(g);
}
END_TEST

START_TEST(drains)
{
	struct rig *g = rig_open();

	talk(g, START, "354 ");
	g->env.draining = true;
	smtpd_ops.drain(&g->env);
	ck_assert_uint_eq(g->drained, 0);
	hand_over(g, "hi\r\n.\r\n");
	answer(g, 250);
	talk(g, "", "421 4.3.2");
	ck_assert(strstr(buf_cstr(&g->got), "250 2.0.0") != NULL);
	run(g, is_drained);
	rig_close(g);
}
END_TEST

/* Over the cap: a word, and nothing that stays. */
START_TEST(one_too_many)
{
	struct rig *g = rig_open();
	struct smtpd *d = g->env.state;
	struct channel *first = g->chan;
	struct fault f;

	d->most = 1;
	g->chan = channel_connect(g->fix.loop, &g->at, NULL, &client_ops, g, &f);
	talk(g, "", "421 4.3.2 Too many connections");
	run(g, is_ended);
	ck_assert_uint_eq(d->nclients, 1);
	channel_close(&first);
	rig_close(g);
}
END_TEST

/* ---- slow clients ---- */

static void
on_passed(void *arg)
{
	struct rig *g = arg;

	loop_stop(g->fix.loop);
}

static void
pass(struct rig *g, uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(g->fix.loop, on_passed, g);

	loop_timer_set(t, ms);
	loop_run(g->fix.loop);
	loop_timer_close(&t);
}

static struct client *
the_client(struct rig *g)
{
	struct smtpd *d = g->env.state;

	ck_assert_uint_eq(d->nclients, 1);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			return d->clients[i];
	ck_abort();
	return NULL;
}

/* The next look at it, within a second, ends it. */
static void
is_ended_slow(struct rig *g)
{
	talk(g, "", "421 4.4.2 ");
	if (!g->ended)
		run(g, is_ended);
}

START_TEST(slow_idle)
{
	struct rig *g = rig_open();

	the_client(g)->deadline = loop_now(g->fix.loop) + 1500;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

START_TEST(slow_session)
{
	struct rig *g = rig_open();

	the_client(g)->began -= 3600000;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

START_TEST(slow_body)
{
	struct rig *g = rig_open();
	struct client *c;

	talk(g, START, "354 ");
	talk(g, "a few bytes", NULL);
	c = the_client(g);
	c->rate_at = loop_now(g->fix.loop) - 60000;
	c->rate_taken = c->session.taken;
	is_ended_slow(g);
	ck_assert_uint_eq(g->begins, 0);
	rig_close(g);
}
END_TEST

/* Places are short: who relays through us, and who has just said something,
 * keeps his. */
START_TEST(slow_crowd)
{
	struct rig *g = rig_open();
	struct smtpd *d = g->env.state;
	struct client *c = the_client(g);

	d->most = 1;
	c->touched -= 20000;
	c->mailed -= 90000;
	ck_assert(!c->limited);
	talk(g, "NOOP\r\n", "250 2.0.0 ");
	pass(g, 1200);
	ck_assert(!g->ended);
	c->limited = true;
	c->mailed = loop_now(g->fix.loop);
	pass(g, 1200);
	ck_assert(!g->ended);
	c->touched -= 20000;
	is_ended_slow(g);
	rig_close(g);
}
END_TEST

/* Whatever the clock says, a client does not pay for the queue's time. */
START_TEST(slow_is_the_queue)
{
	struct rig *g = rig_open();
	struct client *c;

	talk(g, START, "354 ");
	hand_over(g, "Subject: x\r\n\r\nhi\r\n.\r\n");
	c = the_client(g);
	c->deadline = 0;
	c->began -= 3600000;
	pass(g, 1200);
	ck_assert(!g->ended);
	c->began += 3600000;
	answer(g, 250);
	talk(g, "", "250 2.0.0 ");
	rig_close(g);
}
END_TEST

/* A byte now and then; told apart from a client that is silent. */
static void
drip(void *arg)
{
	struct rig *g = arg;

	if (!g->ended)
		(void)channel_send(g->chan, SPAN_LIT("x"));
	loop_timer_set(g->drip, 20);
}

/* RFC 5321 sec 4.5.3.2.7: a drip does not hold a command, nor a message, nor a
 * chunk, and what was begun is given up. */
START_TEST(drips)
{
	static const struct { const char *words, *reply; } r[] = {
		{ "EHLO c.te", NULL }, { START, "354 " },
		{ START "hi\r\n.", "354 " },
		{ "EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\n"
		  "BDAT 9999 LAST\r\n", "250 2.1.5" },
	};
	struct rig *g = rig_open();

	g->conf.limits.timeout.command = g->conf.limits.timeout.data = 300;
	g->drip = loop_timer_new(g->fix.loop, drip, g);
	for (size_t i = 0; i < NELEM(r); i++) {
		channel_close(&g->chan);
		call(g);
		talk(g, r[i].words, r[i].reply);
		drip(g);
		talk(g, "", "421 4.4.2");
		run(g, is_ended);
		loop_timer_stop(g->drip);
	}
	ck_assert_uint_eq(g->commits, 0);
	loop_timer_close(&g->drip);
	rig_close(g);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtpd role");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, takes_a_message);
	tcase_add_test(tc, takes_a_message_over_tls);
	tcase_add_test(tc, implicit_tls);
	tcase_add_test(tc, implicit_tls_and_plain_text);
	tcase_add_test(tc, keys_gone_is_454);
	tcase_add_test(tc, injection_closes);
	tcase_add_test(tc, cleartext_in_handshake_closes);
	tcase_add_test(tc, queue_lost_is_451);
	tcase_add_test(tc, answers_for_nobody);
	tcase_add_test(tc, large_goes_to_a_file);
	tcase_add_test(tc, large_refused_is_452);
	tcase_add_test(tc, large_left_is_aborted);
	tcase_add_test(tc, left_behind_the_dot);
	tcase_add_test(tc, drains);
	tcase_add_test(tc, one_too_many);
	tcase_add_test(tc, slow_idle);
	tcase_add_test(tc, slow_session);
	tcase_add_test(tc, slow_body);
	tcase_add_test(tc, slow_crowd);
	tcase_add_test(tc, slow_is_the_queue);
	tcase_add_test(tc, drips);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
