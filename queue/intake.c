/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/intake.c - messages come in: one transaction per message that an
 * smtpd is handing over.  250 is said only for what is durable; what an smtpd
 * did not get to commit before it went is forgotten. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/envelope.h"
#include "base/log.h"
#include "queue/queue_priv.h"

struct txn {
	struct table_link	 link;
	LIST_ENTRY(txn)		 line;		/* of the smtpd */
	struct queue		*q;
	unsigned		 smtpd;
	uint64_t		 txn;
	int			 fd;		/* large body, -1 none */
	bool			 begun, committing;
	bool			 gone;		/* nobody waits any more */
	char			 id[ID_SIZE];
	struct buf		 sender, client, session, envid, rcpts;
	uint32_t		 nrcpts;
	uint8_t			 flags;
	uint16_t		 envelope;
	uint64_t		 arrived, size;
	struct message		*message;
};

static struct txn *
txn_find(struct queue *q, unsigned smtpd, uint64_t number)
{
	struct table_link *l = table_find(&q->txns,
	    table_hash_u64(number ^ (uint64_t)smtpd << 56));

	for (; l != NULL; l = table_next(l)) {
		struct txn *t = TABLE_ENTRY(l, struct txn, link);

		if (t->smtpd == smtpd && t->txn == number)
			return t;
	}
	return NULL;
}

static struct txn *
txn_new(struct queue *q, unsigned smtpd, uint64_t number)
{
	struct txn *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->q = q;
	t->smtpd = smtpd;
	t->txn = number;
	t->fd = -1;
	buf_init(&t->sender, RECORD_ADDRESS_MAX + 1);
	buf_init(&t->client, 64);
	buf_init(&t->session, ID_SIZE);
	buf_init(&t->envid, ENVELOPE_ENVID_MAX + 1);
	buf_init(&t->rcpts, SEGMENT_PAYLOAD_MAX - 256 * 1024);
	if (table_add(&q->txns, &t->link,
	    table_hash_u64(number ^ (uint64_t)smtpd << 56)) == -1) {
		free(t);
		return NULL;
	}
	LIST_INSERT_HEAD(&q->links[smtpd], t, line);
	return t;
}

static struct txn *
txn_get(struct queue *q, unsigned smtpd, uint64_t number)
{
	struct txn *t = txn_find(q, smtpd, number);

	return t != NULL ? t : txn_new(q, smtpd, number);
}

/* Out of the table: its number may come again.  What the spool works on
 * goes on without anybody who waits for it. */
static void
txn_detach(struct txn *t)
{
	table_remove(&t->q->txns, &t->link);
	LIST_REMOVE(t, line);
	LIST_INSERT_HEAD(&t->q->orphans, t, line);
	t->gone = true;
}

static void
txn_free(struct txn *t)
{
	if (!t->gone)
		txn_detach(t);
	LIST_REMOVE(t, line);
	if (t->fd != -1)
		close(t->fd);
	buf_free(&t->sender);
	buf_free(&t->client);
	buf_free(&t->session);
	buf_free(&t->envid);
	buf_free(&t->rcpts);
	free(t);
}

static void
answer(struct queue *q, unsigned smtpd, uint64_t txn, const struct fault *f)
{
	struct link *l = q->env->peer[ROLE_SMTPD][smtpd];
	struct ipc_msg_committed m = { .txn = txn, .code = 250,
	    .enhanced = SPAN_LIT("2.0.0"), .text = SPAN_LIT("queued") };

	if (f != NULL) {
		m.code = f->code == 452 ? 452 : 451;
		m.enhanced = span_str(f->enhanced[0] != '\0' ? f->enhanced :
		    "4.3.0");
		m.text = span_str(f->text);
	}
	if (l != NULL)
		ipc_send_msg_committed(l, &m, -1);
}

/* The words of a fault are for the log; a client learns the kind. */
static void
refuse(struct txn *t, const struct fault *f)
{
	struct fault told = { 0 };
	bool full = f->code == 452;

	log_warn("message-refused", KV_S("id", t->id), KV_N("code",
	    full ? 452 : 451), KV_Q("reason", f->text));
	fault_set(&told, FAULT_TEMP, full ? 452 : 451, f->enhanced, "%s",
	    full ? "Insufficient system storage" :
	    "Local error in processing");
	if (!t->gone)
		answer(t->q, t->smtpd, t->txn, &told);
	txn_free(t);
}

/* ---- before the commit ---- */

static int
low_on_space(struct queue *q, struct fault *f)
{
	if (!spool_full(q->spool))
		return 0;
	return fault_set(f, FAULT_TEMP, 452, "4.3.1",
	    "the disk is below its reserve");
}

void
intake_spool_open(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct queue *q = env->state;
	uint64_t number = msg->u.spool_open.txn;
	struct ipc_spool_opened m = { .txn = number, .code = 250 };
	struct fault f = { 0 };
	struct txn *t;
	int fd = -1;

	if (low_on_space(q, &f) == 0 && (fd = spool_file_new(q->spool, &f)) !=
	    -1) {
		t = txn_get(q, link_index(l), number);
		if (t == NULL || t->committing || t->fd != -1 ||
		    (t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
			fault_set(&f, FAULT_TEMP, 451, "4.3.0",
			    "no memory or descriptor");
			close(fd);
			fd = -1;
		}
	}
	if (fd == -1) {
		log_warn("message-refused", KV_S("id", "-"),
		    KV_N("code", f.code), KV_Q("reason", f.text));
		m.code = f.code == 452 ? 452 : 451;
		m.enhanced = span_str(f.enhanced);
		m.text = span_str(m.code == 452 ?
		    "Insufficient system storage" :
		    "Local error in processing");
	}
	ipc_send_spool_opened(l, &m, fd);
}

void
intake_begin(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_msg_begin *b = &msg->u.msg_begin;
	struct txn *t = txn_get(env->state, link_index(l), b->txn);

	if (t == NULL || t->begun || t->committing)
		return;		/* MSG_COMMIT will say so */
	t->begun = id_valid(b->id) && span_copy(b->id, t->id, sizeof(t->id)) &&
	    buf_span(&t->sender, b->sender) == 0 &&
	    buf_span(&t->client, b->client) == 0 &&
	    buf_span(&t->session, b->session) == 0 &&
	    buf_span(&t->envid, b->envid) == 0;
	t->envelope = b->flags & ENVELOPE_FLAGS;
	t->arrived = b->arrived;
}

void
intake_rcpts(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct txn *t = txn_find(env->state, link_index(l),
	    msg->u.msg_rcpts.txn);
	struct span list = msg->u.msg_rcpts.rcpts;
	struct ipc_rcpt r;

	if (t == NULL || t->committing)
		return;
	while (ipc_get_rcpt(&list, &r) == 1) {
		struct record_change c = { .index = t->nrcpts,
		    .state = RCPT_ACTIVE, .site = SPAN_NONE,
		    .reply = SPAN_NONE };
		struct record_rcpt rcpt = { .address = r.address,
		    .orcpt = r.orcpt, .notify = r.notify & NOTIFY_BITS };

		if (record_put_rcpt(&t->rcpts, &rcpt, &c) == 0)
			t->nrcpts++;
	}
}

void
intake_abort(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	struct txn *t = txn_find(env->state, link_index(l),
	    msg->u.msg_abort.txn);

	if (t == NULL)
		return;
	if (t->committing)
		txn_detach(t);
	else
		txn_free(t);
}

void
intake_lost(struct queue *q, unsigned smtpd)
{
	struct txn *t, *next;

	for (t = LIST_FIRST(&q->links[smtpd]); t != NULL; t = next) {
		next = LIST_NEXT(t, line);
		if (t->committing)
			txn_detach(t);
		else
			txn_free(t);
	}
}

void
intake_free_all(struct queue *q)
{
	for (unsigned i = 0; i <= ROLE_INSTANCES; i++)
		intake_lost(q, i);
	while (!LIST_EMPTY(&q->orphans))
		txn_free(LIST_FIRST(&q->orphans));
	table_free(&q->txns);
}

/* ---- the commit ---- */

static void
committed(void *arg, const struct fault *f)
{
	struct txn *t = arg;
	struct queue *q = t->q;
	struct message *m = t->message;

	if (f != NULL) {
		store_forget_file(q, m);
		index_remove(&q->index, m);
		refuse(t, f);
		return;
	}
	m->pending = false;
	if (t->gone) {
		/* Its smtpd went before it could hear of this, so no client
		 * was told 250 and it will come again. */
		log_info("message-unclaimed", KV_S("id", m->id));
		store_drop(q, m);
	} else {
		answer(q, t->smtpd, t->txn, NULL);
		store_schedule(q, m);
	}
	txn_free(t);
}

static int
check(struct txn *t, const struct ipc_msg_commit *c, struct fault *f)
{
	struct queue *q = t->q;

	if (low_on_space(q, f) == -1)
		return -1;
	if (t->rcpts.failed)
		return fault_set(f, FAULT_TEMP, 452, "4.5.3",
		    "too many recipients");
	if (!t->begun || t->nrcpts == 0 || t->sender.failed ||
	    (c->in_file != 0 ? t->fd == -1 || c->body.n != 0 :
	    c->body.n != c->size))
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "an incomplete transaction");
	if (index_find(&q->index, span_str(t->id)) != NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "a message with this id is here already");
	return 0;
}

static void
fill_record(struct txn *t, struct span body, struct record_message *r)
{
	*r = (struct record_message){ .id = span_str(t->id),
	    .flags = t->flags, .envelope = t->envelope,
	    .arrived = t->arrived, .size = t->size,
	    .sender = buf_get(&t->sender), .client = buf_get(&t->client),
	    .session = buf_get(&t->session), .envid = buf_get(&t->envid),
	    .nrcpts = t->nrcpts,
	    .rcpts = buf_get(&t->rcpts), .body = body };
}

static int
enter_log(struct txn *t, struct span body, struct fault *f)
{
	struct queue *q = t->q;
	struct record_message r;
	struct place place;

	fill_record(t, body, &r);
	r.sum = t->message->sum;
	buf_reset(&q->record);
	if (record_put_message(&q->record, &r) == -1)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	if (spool_commit(q->spool, buf_get(&q->record), body, &place,
	    committed, t, f) == -1)
		return -1;
	index_place(&q->index, t->message, place);
	return 0;
}

static void
file_kept(void *arg, uint32_t sum, const struct fault *f)
{
	struct txn *t = arg;
	struct fault mine = { 0 };

	t->message->sum = sum;
	if (f == NULL && t->gone)
		fault_set(&mine, FAULT_TEMP, 451, "4.3.0",
		    "its smtpd is gone");
	else if (f == NULL && enter_log(t, SPAN_NONE, &mine) == 0)
		return;
	committed(t, f != NULL ? f : &mine);
}

static int
start_commit(struct txn *t, const struct ipc_msg_commit *c, struct fault *f)
{
	struct queue *q = t->q;
	struct record_message r;
	int fd = t->fd;

	t->size = c->size;
	if (c->in_file != 0)
		t->flags |= RECORD_IN_FILE;
	fill_record(t, c->body, &r);
	t->message = message_new(&r, queue_now(q), clock_wall_ms());
	if (t->message == NULL)
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	t->message->pending = true;
	if (index_add(&q->index, t->message) == -1) {
		message_unref(t->message);
		return fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	}
	t->committing = true;
	if (c->in_file != 0) {
		t->fd = -1;
		if (spool_file_keep(q->spool, fd, span_str(t->id), c->size,
		    file_kept, t, f) == 0)
			return 0;
	} else if (enter_log(t, c->body, f) == 0) {
		return 0;
	}
	index_remove(&q->index, t->message);
	return -1;
}

void
intake_commit(struct role_env *env, struct link *l, struct ipc_msg *msg)
{
	const struct ipc_msg_commit *c = &msg->u.msg_commit;
	struct queue *q = env->state;
	struct txn *t = txn_find(q, link_index(l), c->txn);
	struct fault f = { 0 };

	if (t == NULL) {
		fault_set(&f, FAULT_TEMP, 451, "4.3.0",
		    "Local error in processing");
		answer(q, link_index(l), c->txn, &f);
		return;
	}
	if (t->committing)
		return;
	if (check(t, c, &f) == -1 || start_commit(t, c, &f) == -1)
		refuse(t, &f);
}
