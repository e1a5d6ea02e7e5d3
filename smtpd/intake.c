/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/intake.c - messages on their way to the queue.
 *
 * A small message is three frames at its end (MSG_BEGIN, MSG_RCPTS,
 * MSG_COMMIT).  A large one asks for a file as soon as it is known to be
 * large, and sends the same three when the file is written. */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "smtpd/smtpd_priv.h"

#define RCPTS_MAX	98304	/* bytes of a list, as in messages.def */
#define SLOT_BITS	16

static struct link *
queue_link(const struct client *c)
{
	return role_peer(c->d->env, ROLE_QUEUE);
}

/* Unique on the link for its life, and says whose it is. */
static uint64_t
txn_new(struct client *c)
{
	return ++c->d->txn << SLOT_BITS | c->slot;
}

static struct client *
slot_client(struct smtpd *d, uint64_t txn)
{
	unsigned slot = txn & ((1u << SLOT_BITS) - 1);

	return slot < CLIENT_SLOTS_MAX ? d->clients[slot] : NULL;
}

static struct client *
txn_client(struct smtpd *d, uint64_t txn)
{
	struct client *c = slot_client(d, txn);

	/* An answer may come for what its client has given up. */
	return c != NULL && c->txn == txn && txn != 0 ? c : NULL;
}

enum session_room
smtpd_intake_room(void *arg)
{
	struct link *l = queue_link(arg);

	if (l == NULL)
		return ROOM_NONE;
	return link_full(l) ? ROOM_LATER : ROOM_NOW;
}

/* ---- a file for a large body ---- */

static int
spool_ask(struct client *c)
{
	struct link *l = queue_link(c);

	if (l == NULL)
		return -1;
	c->txn = txn_new(c);
	if (ipc_send_spool_open(l, &(struct ipc_spool_open){
	    .txn = c->txn }, -1) == -1)
		return -1;
	c->spools = true;
	c->d->spools++;
	return 0;
}

/* A descriptor that queue sends and that finds no room here would end the
 * link: there are only so many at a time, and others wait. */
int
smtpd_intake_spool_open(void *arg)
{
	struct client *c = arg;
	struct smtpd *d = c->d;

	if (d->spools < d->spools_most)
		return spool_ask(c);
	if (queue_link(c) == NULL)
		return -1;
	c->spool_waits = true;
	STAILQ_INSERT_TAIL(&d->spool_line, c, spool_next);
	return 0;
}

static void
spool_serve(struct smtpd *d)
{
	struct client *c;
	struct fault f;

	while (d->spools < d->spools_most &&
	    (c = STAILQ_FIRST(&d->spool_line)) != NULL) {
		STAILQ_REMOVE_HEAD(&d->spool_line, spool_next);
		c->spool_waits = false;
		if (spool_ask(c) == 0)
			continue;
		fault_set(&f, FAULT_TEMP, 451, "4.3.0",
		    "No queue, try again later");
		session_spooled(&c->session, &f);
		smtpd_client_run(c);
	}
}

/* The client needs no file any more, or will not get one. */
static void
spool_leave(struct client *c)
{
	struct smtpd *d = c->d;

	if (c->spool_fd != -1)
		close(c->spool_fd);
	c->spool_fd = -1;
	if (c->spool_waits)
		STAILQ_REMOVE(&d->spool_line, c, client, spool_next);
	c->spool_waits = false;
	if (!c->spools)
		return;
	c->spools = false;
	d->spools--;
	spool_serve(d);
}

void
smtpd_intake_spooled(struct smtpd *d, struct ipc_msg *m)
{
	struct ipc_spool_opened *o = &m->u.spool_opened;
	struct client *c = txn_client(d, o->txn);
	int code = o->code >= 400 && o->code <= 599 ? o->code : 451;
	char enhanced[12];
	struct fault f;

	if (c == NULL)
		return;
	if (o->code == 250 && m->fd != -1) {
		c->spool_fd = ipc_take_fd(m);
		session_spooled(&c->session, NULL);
	} else {
		if (!span_copy(o->enhanced, enhanced, sizeof enhanced) ||
		    o->enhanced.n == 0)
			span_copy(SPAN_LIT("4.3.0"), enhanced, sizeof enhanced);
		fault_set(&f, code < 500 ? FAULT_TEMP : FAULT_PERM, code,
		    enhanced, "%.*s", SPAN_FMT(o->text));
		session_spooled(&c->session, &f);
	}
	smtpd_client_run(c);
}

int
smtpd_intake_spool_write(void *arg, struct span s, struct fault *f)
{
	struct client *c = arg;

	assert(c->spool_fd != -1);
	while (s.n > 0) {
		ssize_t n = write(c->spool_fd, s.p, s.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fault_sys(f, "write spool file");
		s = span_skip(s, (size_t)n);
	}
	return 0;
}

void
smtpd_intake_abort(void *arg)
{
	struct client *c = arg;
	struct link *l = queue_link(c);

	spool_leave(c);
	if (c->txn != 0 && l != NULL)
		(void)ipc_send_msg_abort(l, &(struct ipc_msg_abort){
		    .txn = c->txn }, -1);
	c->txn = 0;
}

/* ---- the whole message ---- */

const struct addr *
smtpd_intake_origin(const struct session *s, struct addr *named)
{
	const struct smtp_xforward *x = s->forward;

	return x != NULL && addr_parse_ip(span_str(x->addr), named) ? named :
	    &s->client;
}

static int
send_begin(struct link *l, const struct client *c,
    const struct session_message *m)
{
	char ip[ADDR_TEXT_SIZE];
	struct addr named;

	return ipc_send_msg_begin(l, &(struct ipc_msg_begin){
	    .txn = c->txn,
	    .id = span_str(m->id),
	    .sender = span_of(m->sender.text, m->sender.n),
	    .client = span_str(addr_ip_text(smtpd_intake_origin(&c->session,
		&named), ip)),
	    .session = span_str(c->session.id),
	    .flags = m->flags,
	    .envid = span_str(m->envid),
	    .arrived = m->arrived,
	}, -1);
}

static int
send_rcpts(struct link *l, uint64_t txn, struct buf *list)
{
	int rc = ipc_send_msg_rcpts(l, &(struct ipc_msg_rcpts){ .txn = txn,
	    .rcpts = buf_get(list) }, -1);

	buf_reset(list);
	return rc;
}

static int
send_all_rcpts(struct link *l, uint64_t txn, struct span rcpts)
{
	struct ipc_rcpt r;
	struct buf list;
	int rc = 0;

	buf_init(&list, RCPTS_MAX);
	while (rc == 0 && ipc_get_rcpt(&rcpts, &r) == 1) {
		if (list.len > RCPTS_MAX - SESSION_RCPT_MAX)
			rc = send_rcpts(l, txn, &list);
		if (rc == 0)
			rc = ipc_put_rcpt(&list, &r);
	}
	if (rc == 0)
		rc = send_rcpts(l, txn, &list);
	buf_free(&list);
	return rc;
}

int
smtpd_intake_commit(void *arg, const struct session_message *m)
{
	struct client *c = arg;
	struct link *l = queue_link(c);
	struct ipc_msg_commit commit = { .size = m->size,
	    .in_file = m->in_file, .body = SPAN_NONE };

	if (l == NULL)
		return -1;
	if (!m->in_file) {
		c->txn = txn_new(c);
		commit.body = buf_get(&m->body);
	}
	commit.txn = c->txn;
	spool_leave(c);
	if (send_begin(l, c, m) == 0 &&
	    send_all_rcpts(l, c->txn, buf_get(&m->rcpts)) == 0 &&
	    ipc_send_msg_commit(l, &commit, -1) == 0)
		return 0;
	smtpd_intake_abort(c);
	return -1;
}

void
smtpd_intake_committed(struct smtpd *d, const struct ipc_msg_committed *m)
{
	struct client *c = txn_client(d, m->txn);

	if (c == NULL)
		return;
	c->txn = 0;
	session_committed(&c->session, m->code, m->enhanced, m->text);
	smtpd_client_run(c);
}

/* ---- recipients ---- */

uint64_t
smtpd_intake_verify(void *arg, struct span address, enum tls_wish wish)
{
	struct client *c = arg;
	struct link *l = queue_link(c);
	uint64_t txn = txn_new(c);

	if (l == NULL || ipc_send_verify_ask(l, &(struct ipc_verify_ask){
	    .txn = txn, .address = address, .wish = (uint8_t)wish }, -1) == -1)
		return 0;
	return txn;
}

void
smtpd_intake_verified(struct smtpd *d, const struct ipc_verify_answer *a)
{
	struct client *c = slot_client(d, a->txn);

	if (c == NULL || c->ch == NULL)
		return;
	session_verified(&c->session, a->txn, a->code, a->dsn);
	smtpd_client_run(c);
}

/* ---- the link ---- */

void
smtpd_intake_lost(struct smtpd *d)
{
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++) {
		struct client *c = d->clients[i];

		if (c == NULL)
			continue;
		c->txn = 0;		/* it was the old queue's */
		spool_leave(c);
		session_queue_lost(&c->session);
		smtpd_client_run(c);
	}
}

void
smtpd_intake_go_on(struct smtpd *d)
{
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		if (d->clients[i] != NULL && d->clients[i]->session.waiting)
			smtpd_client_run(d->clients[i]);
}
