/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hop.h"
#include "base/log.h"
#include "queue/queue.h"

/* ---- directories ---- */

void
world_tempdir(char out[64])
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(out, 64, "%s/sealane-queue-XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(out));
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st, (void)kind, (void)f;
	return remove(path);
}

void
world_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the queue's side of the links ---- */

static void
queue_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct world *w = ctx;

	for (size_t i = 0; i < queue_ops.nhandlers; i++)
		if (queue_ops.handlers[i].type == m->type) {
			queue_ops.handlers[i].run(&w->env, l, m);
			return;
		}
	ck_abort_msg("queue has no handler for %s", ipc_name(m->type));
}

static void
queue_room(void *ctx, struct link *l)
{
	queue_ops.room(&((struct world *)ctx)->env, l);
}

static void
queue_closed(void *ctx, struct link *l, const char *why)
{
	struct world *w = ctx;

	(void)why;
	w->env.peer[link_role(l)][link_index(l)] = NULL;
	queue_ops.peer_down(&w->env, link_role(l), link_index(l));
}

static const struct link_ops queue_side = { queue_message, queue_room,
    queue_closed };

/* ---- the fakes ---- */

static void
fake_smtpd(struct world *w, struct ipc_msg *m)
{
	if (m->type == IPC_SPOOL_OPENED) {
		w->code = m->u.spool_opened.code;
		w->opened_fd = ipc_take_fd(m);
		return;
	}
	if (m->type == IPC_VERIFY_ANSWER) {
		unsigned at = w->nverified++ % WORLD_VERIFIED;

		w->verified[at].txn = m->u.verify_answer.txn;
		w->verified[at].code = m->u.verify_answer.code;
		(void)span_copy(m->u.verify_answer.dsn, w->verified[at].dsn,
		    sizeof(w->verified[at].dsn));
		return;
	}
	ck_assert_int_eq(m->type, IPC_MSG_COMMITTED);
	w->code = m->u.msg_committed.code;
	if (w->answered != NULL)
		w->answered(w, m->u.msg_committed.txn, w->code);
	if (w->code == 250)
		w->committed++;
	else
		w->refused++;
}

/* Domains say by their name what they are. */
void
world_route(struct world *w, uint64_t txn, struct span domain)
{
	struct ipc_route a = { .txn = txn, .code = 250,
	    .domain = domain, .connections = 20,
	    .site = 1000 + domain.n, .identity = 7,
	    .site_name = SPAN_LIT("mx.example") };
	struct ipc_host host = { .name = SPAN_LIT("mx.example"), .port = 25,
	    .preference = 10, .asked = LEVEL_ENCRYPTED };
	struct buf hosts;

	buf_init(&hosts, 4096);
	ck_assert_int_eq(ipc_put_host(&hosts, &host), 0);
	a.hosts = buf_get(&hosts);
	if (span_eq(domain, SPAN_LIT("nx.example"))) {
		a.code = 550;
		a.dsn = SPAN_LIT("5.1.2");
		a.text = SPAN_LIT("the domain does not exist");
	} else if (span_eq(domain, SPAN_LIT("bare.example"))) {
		a.code = 550;
		a.dsn = SPAN_LIT("5.7.30");
		a.text = SPAN_LIT("nothing proves its hosts");
	} else if (span_eq(domain, SPAN_LIT("dnsfail.example"))) {
		a.code = 451;
		a.dsn = SPAN_LIT("4.4.3");
		a.text = SPAN_LIT("DNS has no answer");
	} else if (span_eq(domain, SPAN_LIT("sink.example"))) {
		a.discard = 1;
		a.hosts = SPAN_NONE;
	}
	ck_assert_int_eq(ipc_send_route(w->policy, &a, -1), 0);
	buf_free(&hosts);
}

static void
fake_policy(struct world *w, const struct ipc_route_ask *ask)
{
	if (w->asks < WORLD_ASKS) {
		w->asked[w->asks].txn = ask->txn;
		w->asked[w->asks].wish = ask->wish;
		(void)span_copy(ask->domain, w->asked[w->asks].domain, 256);
	}
	w->asks++;
	if (!w->policy_mute)
		world_route(w, ask->txn, ask->domain);
}

void
world_outcome(struct world *w, const struct seen_job *j, enum answer say)
{
	struct ipc_job_outcome o = { .job = j->job, .id = span_str(j->id),
	    .site = 1, .tls_failed = w->say_tls_failed,
	    .trouble = w->say_trouble };
	struct buf list;

	buf_init(&list, 98304);
	for (uint32_t i = 0; i < j->nrcpts; i++) {
		struct ipc_outcome one = { .index = j->index[i],
		    .status = say == SAY_SENT ? OUTCOME_SENT :
		    say == SAY_FAILED ? OUTCOME_FAILED : OUTCOME_DEFERRED,
		    .dsn = say == SAY_SENT ? SPAN_LIT("2.0.0") :
		    say != SAY_FAILED ? SPAN_LIT("4.2.0") :
		    span_str(w->say_dsn != NULL ? w->say_dsn : "5.1.1"),
		    .reply = span_str(w->reply), .mx = SPAN_LIT("mx.example"),
		    .dsn_passed = w->say_dsn_passed, .final = w->say_final };

		ck_assert_int_eq(ipc_put_outcome(&list, &one), 0);
	}
	o.outcomes = buf_get(&list);
	ck_assert_int_eq(ipc_send_job_outcome(w->relay[j->relay], &o, -1), 0);
	buf_free(&list);
}

static void
read_body(struct seen_job *j, struct ipc_msg *m)
{
	struct stat st;

	if (m->fd != -1) {
		ck_assert_int_eq(fstat(m->fd, &st), 0);
		ck_assert_int_eq(fcntl(m->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		j->got = (uint64_t)st.st_size;
		return;
	}
	j->got = m->u.job.body.n;
	j->body = strndup(m->u.job.body.p, m->u.job.body.n);
}

static void
fake_relay(struct world *w, struct link *l, unsigned index, struct ipc_msg *m)
{
	struct seen_job *j = &w->jobs[w->njobs];
	struct span list = m->u.job.rcpts;
	struct ipc_job_rcpt r;

	(void)l;
	if (m->type == IPC_OUTCOME_ACK) {
		w->acks++;
		return;
	}
	if (m->type == IPC_JOB_ROUTE) {
		struct ipc_route route;

		ck_assert_int_eq(ipc_get_route(m->u.job_route.route, &route),
		    0);
		return;
	}
	ck_assert_int_eq(m->type, IPC_JOB);
	ck_assert_uint_lt(w->njobs, WORLD_JOBS);
	w->njobs++;
	j->job = m->u.job.job;
	j->relay = index;
	j->tls_failed = m->u.job.tls_failed != 0;
	j->probe = m->u.job.probe != 0;
	j->size = m->u.job.size;
	j->flags = m->u.job.flags;
	(void)span_copy(m->u.job.envid, j->envid, sizeof(j->envid));
	(void)span_copy(m->u.job.id, j->id, sizeof(j->id));
	(void)span_copy(m->u.job.sender, j->sender, sizeof(j->sender));
	for (; ipc_get_job_rcpt(&list, &r) == 1; j->nrcpts++) {
		if (j->nrcpts == 0) {
			(void)span_copy(r.address, j->first, sizeof(j->first));
			(void)span_copy(r.orcpt, j->orcpt, sizeof(j->orcpt));
			j->notify = r.notify;
		}
		j->index[j->nrcpts] = r.index;
		if (j->probe)
			(void)snprintf(j->probed + strlen(j->probed),
			    sizeof(j->probed) - strlen(j->probed), "%.*s ",
			    SPAN_FMT(r.address));
	}
	read_body(j, m);
	if (w->silent != NULL && strcmp(strchr(j->first, '@') + 1,
	    w->silent) == 0)
		return;
	if (w->say != SAY_NOTHING)
		world_outcome(w, j, w->say);
}

static void
fake_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct world *w = ctx;

	if (l == w->smtpd)
		fake_smtpd(w, m);
	else if (l == w->policy)
		fake_policy(w, &m->u.route_ask);
	else
		for (unsigned i = 1; i <= WORLD_RELAYS; i++)
			if (l == w->relay[i])
				fake_relay(w, l, i, m);
}

static struct link **
fake_slot(struct world *w, enum role role, unsigned index)
{
	return role == ROLE_SMTPD ? &w->smtpd : role == ROLE_POLICY ?
	    &w->policy : &w->relay[index];
}

static void
fake_closed(void *ctx, struct link *l, const char *why)
{
	struct world *w = ctx;

	(void)why;
	if (l == w->smtpd)
		w->smtpd = NULL;
	if (l == w->policy)
		w->policy = NULL;
	for (unsigned i = 1; i <= WORLD_RELAYS; i++)
		if (l == w->relay[i])
			w->relay[i] = NULL;
}

static const struct link_ops fake_side = { fake_message, NULL, fake_closed };

void
world_link(struct world *w, enum role role, unsigned index)
{
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	w->env.peer[role][index] = link_new(w->loop, sv[0], ROLE_QUEUE, role,
	    index, &queue_side, w);
	*fake_slot(w, role, index) = link_new(w->loop, sv[1], role, ROLE_QUEUE,
	    1, &fake_side, w);
	ck_assert_ptr_nonnull(w->env.peer[role][index]);
	queue_ops.peer_up(&w->env, w->env.peer[role][index]);
}

void
world_cut(struct world *w, enum role role, unsigned index)
{
	link_close(fake_slot(w, role, index));
	if (w->env.peer[role][index] == NULL)
		return;
	link_close(&w->env.peer[role][index]);
	queue_ops.peer_down(&w->env, role, index);
}

void
world_register(struct world *w, unsigned relay)
{
	struct ipc_registered m = { .highest_job = 0 };

	ck_assert_int_eq(ipc_send_registered(w->relay[relay], &m, -1), 0);
}

/* ---- life ---- */

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_open("queue", LOG_LOGFMT);
	log_set_level(LOG_ERROR);
	world_tempdir(w->dir);
	w->conf.hostname = "mx1.example.org";
	w->conf.state_directory = w->dir;
	w->conf.relay_processes = 1;
	w->conf.relay.connections = 20;
	w->conf.relay.retry.first = 50;
	w->conf.relay.retry.max = 200;
	w->conf.relay.retry.give_up = 3600 * 1000;
	w->reply = "250 2.0.0 ok";
	w->opened_fd = -1;
	w->loop = loop_new();
	w->env.loop = w->loop;
	w->env.conf = &w->conf;
	w->env.role = ROLE_QUEUE;
	w->env.ops = &queue_ops;
	return w;
}

void
world_start(struct world *w)
{
	struct fault f = { 0 };

	ck_assert_msg(queue_ops.start(&w->env, &f) == 0, "%s", f.text);
	world_link(w, ROLE_SMTPD, 1);
	world_link(w, ROLE_POLICY, 1);
	world_link(w, ROLE_RELAY, 1);
}

struct world *
world_started(void)
{
	struct world *w = world_new();

	world_start(w);
	world_register(w, 1);
	return w;
}

void
world_stop(struct world *w)
{
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		for (unsigned i = 0; i <= ROLE_INSTANCES; i++)
			link_close(&w->env.peer[r][i]);
	link_close(&w->smtpd);
	link_close(&w->policy);
	for (unsigned i = 1; i <= WORLD_RELAYS; i++)
		link_close(&w->relay[i]);
	queue_ops.stop(&w->env);
	/* The lock of the spool goes when its pool work is done. */
	loop_free(&w->loop);
	w->loop = loop_new();
	w->env.loop = w->loop;
}

void
world_free(struct world *w)
{
	if (w->env.state != NULL)
		world_stop(w);
	loop_free(&w->loop);
	for (size_t i = 0; i < w->njobs; i++)
		free(w->jobs[i].body);
	world_remove(w->dir);
	free(w);
}

struct queue *
world_queue(struct world *w)
{
	return w->env.state;
}

/* ---- waiting ---- */

struct waiting {
	struct world	*w;
	bool		(*done)(struct world *);
	struct loop_timer *timer;
	uint64_t	 until;
	bool		 ok;
};

static void
look(void *arg)
{
	struct waiting *x = arg;

	if (x->done != NULL && x->done(x->w)) {
		x->ok = true;
		loop_stop(x->w->loop);
	} else if (loop_now(x->w->loop) >= x->until) {
		loop_stop(x->w->loop);
	} else {
		loop_timer_set(x->timer, 1);
	}
}

static bool
wait_for(struct world *w, bool (*done)(struct world *), uint64_t ms)
{
	struct waiting x = { .w = w, .done = done };

	x.timer = loop_timer_new(w->loop, look, &x);
	ck_assert_ptr_nonnull(x.timer);
	x.until = loop_now(w->loop) + ms;
	loop_timer_set(x.timer, 0);
	loop_run(w->loop);
	loop_timer_close(&x.timer);
	return x.ok;
}

void
world_until(struct world *w, bool (*done)(struct world *))
{
	ck_assert_msg(wait_for(w, done, 15000), "it did not happen in 15 s");
}

void
world_wait(struct world *w, uint64_t ms)
{
	(void)wait_for(w, NULL, ms);
}

bool
world_empty(struct world *w)
{
	return TAILQ_EMPTY(&world_queue(w)->index.arrival);
}

bool
world_one_committed(struct world *w)
{
	return w->committed >= 1;
}

bool
world_one_refused(struct world *w)
{
	return w->refused >= 1;
}

bool
world_one_job(struct world *w)
{
	return w->njobs >= 1;
}

bool
world_two_jobs(struct world *w)
{
	return w->njobs >= 2;
}

bool
world_one_ack(struct world *w)
{
	return w->acks >= 1;
}

/* ---- messages ---- */

void
world_id(unsigned n, char out[ID_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

	memset(out, 'a', ID_LEN);
	out[ID_LEN] = '\0';
	for (int i = ID_LEN - 1; n > 0; i--, n /= 32)
		out[i] = digits[n % 32];
}

struct message *
world_message(const char *sender, const char *client, uint64_t arrived)
{
	struct record_rcpt rcpt = { .address = SPAN_LIT("r@dest.example"),
	    .orcpt = SPAN_NONE };
	struct record_change c = { .state = RCPT_DEFERRED,
	    .site = SPAN_NONE, .reply = SPAN_NONE, .dsn = SPAN_NONE,
	    .mx = SPAN_NONE };
	struct record_message rec = { .arrived = arrived, .nrcpts = 1,
	    .sender = span_str(sender), .client = span_str(client),
	    .session = SPAN_NONE, .envid = SPAN_NONE, .body = SPAN_NONE };
	struct message *m;
	char id[ID_SIZE];
	struct buf list;

	world_id(1, id);
	rec.id = span_str(id);
	buf_init(&list, 4096);
	ck_assert_int_eq(record_put_rcpt(&list, &rcpt, &c), 0);
	rec.rcpts = buf_get(&list);
	m = message_new(&rec, 0, 0);
	ck_assert_ptr_nonnull(m);
	buf_free(&list);
	return m;
}

const char *
world_name(unsigned n)
{
	static char ids[4][ID_SIZE];
	static unsigned at;

	world_id(n, ids[++at % 4]);
	return ids[at % 4];
}

void
world_begin(struct world *w, uint64_t txn, const char *id, const char *sender,
    const char *rcpts)
{
	struct ipc_msg_begin b = { .txn = txn, .id = span_str(id),
	    .sender = span_str(sender), .client = SPAN_LIT("192.0.2.7"),
	    .session = span_str(id), .flags = w->flags,
	    .envid = span_str(w->envid), .arrived = clock_wall_ms() };
	struct ipc_msg_rcpts m = { .txn = txn };
	struct span rest = span_str(rcpts);
	struct buf list;

	ck_assert_int_eq(ipc_send_msg_begin(w->smtpd, &b, -1), 0);
	buf_init(&list, 98304);
	while (rest.n > 0) {
		struct ipc_rcpt r = { .address = span_cut(&rest, ' '),
		    .notify = w->notify, .orcpt = span_str(w->orcpt) };

		ck_assert_int_eq(ipc_put_rcpt(&list, &r), 0);
	}
	m.rcpts = buf_get(&list);
	ck_assert_int_eq(ipc_send_msg_rcpts(w->smtpd, &m, -1), 0);
	buf_free(&list);
}

void
world_send(struct world *w, uint64_t txn, const char *id, const char *sender,
    const char *rcpts, const char *body)
{
	struct ipc_msg_commit c = { .txn = txn, .size = strlen(body),
	    .body = span_str(body) };

	world_begin(w, txn, id, sender, rcpts);
	ck_assert_int_eq(ipc_send_msg_commit(w->smtpd, &c, -1), 0);
}

/* ---- the control socket ---- */

struct asking {
	struct world	*w;
	struct loop_io	*io;
	char		 got[1024 * 1024];
	size_t		 n;
	unsigned	 wanted;	/* last lines that are to come */
};

static unsigned
last_lines(const char *got)
{
	unsigned n = 0;

	for (const char *p = got; (p = strchr(p, '{')) != NULL; p++)
		n += strncmp(p, "{\"done\"", 7) == 0 ||
		    strncmp(p, "{\"error\"", 8) == 0;
	return n;
}

static void
asked(void *arg, int events)
{
	struct asking *a = arg;
	ssize_t n = recv(loop_io_fd(a->io), a->got + a->n,
	    sizeof(a->got) - 1 - a->n, MSG_DONTWAIT);

	(void)events;
	if (n > 0)
		a->n += (size_t)n;
	a->got[a->n] = '\0';
	if (n == 0 || last_lines(a->got) >= a->wanted)
		loop_stop(a->w->loop);
}

const char *
world_ask(struct world *w, const char *request)
{
	static struct asking a;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct ipc_msg msg = { .type = IPC_CONTROL };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(&a, 0, sizeof(a));
	a.w = w;
	a.wanted = 1 + world_lines(request);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control", w->dir);
	(void)unlink(sun.sun_path);
	msg.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(msg.fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(msg.fd, 5), 0);
	for (size_t i = 0; i < queue_ops.nhandlers; i++)
		if (queue_ops.handlers[i].type == IPC_CONTROL)
			queue_ops.handlers[i].run(&w->env, NULL, &msg);
	ck_assert_int_eq(connect(s, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(write(s, request, strlen(request)),
	    (ssize_t)strlen(request));
	ck_assert_int_eq(write(s, "\n", 1), 1);
	fcntl(s, F_SETFL, O_NONBLOCK);
	a.io = loop_io_new(w->loop, s, asked, &a);
	loop_io_watch(a.io, LOOP_READ);
	loop_run(w->loop);
	loop_io_close(&a.io);
	return a.got;
}

unsigned
world_lines(const char *s)
{
	unsigned n = 0;

	for (; (s = strchr(s, '\n')) != NULL; s++)
		n++;
	return n;
}
