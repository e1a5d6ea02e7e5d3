/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/rig.c - see rig.h. */
#include "tests/unit/smtpd/rig.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void
rig_progress(struct rig *g)
{
	if (g->done != NULL && g->done(g))
		loop_stop(g->fix.loop);
}

void
rig_run(struct rig *g, bool (*done)(struct rig *))
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
		ck_assert(span_eq(m->u.msg_begin.client, span_str(g->origin)));
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
		(void)span_copy(m->u.fact_delivery.mx, g->from_helo,
		    sizeof g->from_helo);
		(void)span_copy(m->u.fact_delivery.addr, g->from_ip,
		    sizeof g->from_ip);
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
	rig_progress(ctx);
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

void
rig_new_queue(struct rig *g)
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
	rig_progress(g);
}

static void
client_secured(void *arg)
{
	struct rig *g = arg;

	g->secured = true;
	rig_progress(g);
}

static void
client_ended(void *arg, enum channel_end end, bool in_handshake,
    const struct fault *f)
{
	struct rig *g = arg;

	(void)end, (void)in_handshake, (void)f;
	g->ended = true;
	rig_progress(g);
}

static void
client_connected(void *arg)
{
	struct rig *g = arg;

	g->connected = true;
	rig_progress(g);
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
void
rig_talk(struct rig *g, const char *words, const char *reply)
{
	buf_reset(&g->got);
	if (words[0] != '\0')
		ck_assert_int_eq(channel_send(g->chan, span_str(words)), 0);
	g->until = reply;
	if (reply != NULL)
		rig_run(g, heard);
}

static bool
is_connected(struct rig *g)
{
	return g->connected;
}

/* A connection, of which nothing is heard yet. */
void
rig_call_quietly(struct rig *g)
{
	struct fault f;

	channel_close(&g->chan);
	g->connected = g->secured = g->ended = false;
	buf_reset(&g->got);
	g->chan = channel_connect(g->fix.loop, &g->at, NULL, &client_ops, g, &f);
	ck_assert_ptr_nonnull(g->chan);
	rig_run(g, is_connected);
}

void
rig_call(struct rig *g)
{
	rig_call_quietly(g);
	rig_talk(g, "", "220 mx.test ESMTP");
}

/* ---- the rig ---- */

struct rig *
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
	g.origin = "127.0.0.1";
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
	rig_new_queue(&g);
	listen_on_loopback(&g);
	rig_call(&g);
	return &g;
}

void
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

bool
rig_is_committed(struct rig *g)
{
	return g->commits > 0;
}

bool
rig_is_delivery_told(struct rig *g)
{
	return g->deliveries > 0;
}

bool
rig_is_ended(struct rig *g)
{
	return g->ended;
}

bool
rig_is_opened(struct rig *g)
{
	return g->opens > 0;
}

bool
rig_is_aborted(struct rig *g)
{
	return g->aborts > 0;
}

bool
rig_is_drained(struct rig *g)
{
	return g->drained > 0;
}

void
rig_answer(struct rig *g, unsigned code)
{
	ck_assert_int_eq(ipc_send_msg_committed(g->queue,
	    &(struct ipc_msg_committed){ .txn = g->txn,
	    .code = (uint16_t)code }, -1), 0);
}

/* The end of the message, as far as the queue's MSG_COMMIT. */
void
rig_hand_over(struct rig *g, const char *body)
{
	g->commits = 0;
	rig_talk(g, body, NULL);
	rig_run(g, rig_is_committed);
	ck_assert_uint_eq(g->got.len, 0);	/* nothing ahead of the queue */
}

bool
rig_is_secured(struct rig *g)
{
	return g->secured;
}

/* ---- time ---- */

static void
on_passed(void *arg)
{
	struct rig *g = arg;

	loop_stop(g->fix.loop);
}

void
rig_pass(struct rig *g, uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(g->fix.loop, on_passed, g);

	loop_timer_set(t, ms);
	loop_run(g->fix.loop);
	loop_timer_close(&t);
}

struct client *
rig_client(struct rig *g)
{
	struct smtpd *d = g->env.state;

	ck_assert_uint_eq(d->nclients, 1);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL)
			return d->clients[i];
	ck_abort();
	return NULL;
}

/* ---- main ---- */

int
rig_suite(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
