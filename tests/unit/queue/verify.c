/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/verify.c - which recipients exist: the role between an smtpd
 * that asks, policy and relays.  What is remembered: verify_cache.c. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/queue.h"
#include "queue/verify_priv.h"
#include "tests/unit/suite.h"
#include "world.h"

#define DAY	86400000ll
#define HOUR	3600000ll
#define NOW	(3 * HOUR)	/* up for less than what is remembered */
#define WALL	1767323045000u

static const struct span joe = { "joe@dest.example", 16 };

/* ---- the role ---- */

static unsigned wanted;

static bool answered(struct world *w) { return w->nverified >= wanted; }
static bool jobs(struct world *w) { return w->njobs >= wanted; }
static bool route_asked(struct world *w) { return w->asks >= wanted; }

static struct world *
started(void)
{
	struct world *w = world_new();

	w->say = SAY_NOTHING;
	world_start(w);
	world_register(w, 1);
	return w;
}

static void
ask(struct world *w, uint64_t txn, const char *address)
{
	ck_assert_int_eq(ipc_send_verify_ask(w->smtpd, &(struct ipc_verify_ask){
	    .txn = txn, .address = span_str(address) }, -1), 0);
}

static void
until_jobs(struct world *w, unsigned n)
{
	wanted = n;
	world_until(w, jobs);
	ck_assert_uint_eq(w->njobs, n);
}

/* The nth answer. */
static void
until_answer(struct world *w, unsigned n, uint64_t txn, uint16_t code,
    const char *dsn)
{
	unsigned at = (n - 1) % WORLD_VERIFIED;

	wanted = n;
	world_until(w, answered);
	ck_assert_uint_eq(w->verified[at].txn, txn);
	ck_assert_uint_eq(w->verified[at].code, code);
	ck_assert_str_eq(w->verified[at].dsn, dsn);
}

static void
outcome(struct world *w, unsigned job, enum answer say, bool trouble)
{
	w->say_trouble = trouble;
	world_outcome(w, &w->jobs[job], say);
}

START_TEST(asked_once)
{
	struct world *w = started();

	ask(w, 1, "joe@dest.example");
	until_jobs(w, 1);
	ck_assert(w->jobs[0].probe);
	ck_assert_str_eq(w->jobs[0].sender, "");
	ck_assert_str_eq(w->jobs[0].probed, "joe@dest.example ");
	ck_assert_uint_eq(w->jobs[0].size, 0);
	ck_assert_uint_eq(w->jobs[0].flags, 0);
	/* A second one waits for the same probe. */
	ask(w, 2, "joe@dest.example");
	world_wait(w, 20);
	outcome(w, 0, SAY_SENT, false);
	until_answer(w, 1, 1, 250, "2.0.0");
	until_answer(w, 2, 2, 250, "2.0.0");
	ask(w, 3, "joe@dest.example");
	until_answer(w, 3, 3, 250, "2.0.0");
	ck_assert_uint_eq(w->njobs, 1);
	ck_assert_uint_eq(w->acks, 1);
	world_free(w);
}
END_TEST

static void
ask_wish(struct world *w, uint64_t txn, const char *address,
    enum tls_wish wish)
{
	ck_assert_int_eq(ipc_send_verify_ask(w->smtpd, &(struct ipc_verify_ask){
	    .txn = txn, .address = span_str(address),
	    .wish = (uint8_t)wish }, -1), 0);
}

/* RFC 8689 sec 4.2.1: whom such a message is for is asked with its wish, beside
 * the same question of others, and what is known need not be asked. */
START_TEST(wish)
{
	struct world *w = started();

	ask_wish(w, 1, "joe@dest.example", TLS_WISH_NONE);
	until_jobs(w, 1);
	ask_wish(w, 2, "joe@dest.example", TLS_WISH_REQUIRED);
	until_jobs(w, 2);
	ck_assert_uint_eq(w->asked[0].wish, TLS_WISH_NONE);
	ck_assert_uint_eq(w->asked[1].wish, TLS_WISH_REQUIRED);
	ck_assert_uint_eq(w->jobs[0].flags, 0);
	ck_assert_uint_eq(w->jobs[1].flags, ENVELOPE_REQUIRETLS);
	/* For want of it nobody was asked: that says nothing of joe. */
	w->say_dsn = "5.7.30";
	outcome(w, 1, SAY_FAILED, false);
	until_answer(w, 1, 2, 550, "5.7.30");
	ask_wish(w, 3, "joe@dest.example", TLS_WISH_REQUIRED);
	until_jobs(w, 3);
	outcome(w, 0, SAY_SENT, false);
	until_answer(w, 2, 1, 250, "2.0.0");
	w->say_dsn = NULL;
	outcome(w, 2, SAY_FAILED, false);
	until_answer(w, 3, 3, 550, "5.1.1");
	ask_wish(w, 4, "joe@dest.example", TLS_WISH_REQUIRED);
	until_answer(w, 4, 4, 550, "5.1.1");
	/* RFC 8689 sec 5: the level of a report is its route's doing. */
	ask_wish(w, 5, "ann@dest.example", TLS_WISH_REPORT);
	until_jobs(w, 4);
	ck_assert_uint_eq(w->asked[w->asks - 1].wish, TLS_WISH_REPORT);
	ck_assert_uint_eq(w->jobs[3].flags, 0);
	world_free(w);
}
END_TEST

/* No route with it: said at once, and of no other message's recipients. */
START_TEST(wish_without_a_way)
{
	struct world *w = started();
	struct queue *q = world_queue(w);

	ask_wish(w, 1, "joe@bare.example", TLS_WISH_REQUIRED);
	until_answer(w, 1, 1, 550, "5.7.30");
	ask_wish(w, 2, "ann@bare.example", TLS_WISH_REQUIRED);
	until_answer(w, 2, 2, 550, "5.7.30");
	ck_assert_uint_eq(w->asks, 1);
	ck_assert_uint_eq(w->njobs, 0);
	ck_assert_ptr_null(verify_domain_down(q, SPAN_LIT("bare.example"),
	    TLS_WISH_NONE));
	ck_assert_ptr_null(verify_cache_ask(&q->verify->cache,
	    SPAN_LIT("joe@bare.example"), 0));
	world_free(w);
}
END_TEST

START_TEST(unknown_is_remembered)
{
	struct world *w = started();

	ask(w, 1, "no@dest.example");
	until_jobs(w, 1);
	outcome(w, 0, SAY_FAILED, false);
	until_answer(w, 1, 1, 550, "5.1.1");
	ask(w, 2, "no@dest.example");
	until_answer(w, 2, 2, 550, "5.1.1");
	ck_assert_uint_eq(w->njobs, 1);
	/* The operator says that things have changed. */
	verify_forget_misses(world_queue(w));
	ask(w, 3, "no@dest.example");
	until_jobs(w, 2);
	outcome(w, 1, SAY_SENT, false);
	until_answer(w, 3, 3, 250, "2.0.0");
	world_free(w);
}
END_TEST

/* Greylisting is no answer, and asked about again soon; not at once. */
START_TEST(unclear_is_no_miss)
{
	struct world *w = started();

	ask(w, 1, "grey@dest.example");
	until_jobs(w, 1);
	outcome(w, 0, SAY_DEFERRED, false);
	until_answer(w, 1, 1, 451, "4.2.0");
	ask(w, 2, "grey@dest.example");
	until_answer(w, 2, 2, 451, "4.2.0");
	ck_assert_uint_eq(w->njobs, 1);
	verify_cache_ask(&world_queue(w)->verify->cache,
	    SPAN_LIT("grey@dest.example"), 0)->at -= VERIFY_UNCLEAR_MS;
	ask(w, 3, "grey@dest.example");
	until_jobs(w, 2);
	world_free(w);
}
END_TEST

/* Trouble is the host's: whoever is not known is told at once. */
START_TEST(down)
{
	struct world *w = started();

	ask(w, 1, "joe@dest.example");
	until_jobs(w, 1);
	outcome(w, 0, SAY_SENT, false);
	until_answer(w, 1, 1, 250, "2.0.0");
	ask(w, 2, "ann@dest.example");
	until_jobs(w, 2);
	outcome(w, 1, SAY_DEFERRED, true);
	until_answer(w, 2, 2, 451, "4.2.0");
	ask(w, 3, "bob@dest.example");
	until_answer(w, 3, 3, 451, "4.2.0");
	ask(w, 4, "joe@dest.example");
	until_answer(w, 4, 4, 250, "2.0.0");
	ask(w, 5, "joe@other.example");		/* not that domain's fault */
	until_jobs(w, 3);
	world_free(w);
}
END_TEST

static void
known_for(struct world *w, const char *address, int64_t age)
{
	struct queue *q = world_queue(w);

	ck_assert_ptr_nonnull(verify_cache_set(&q->verify->cache,
	    span_str(address), 0, VERDICT_HIT, SPAN_LIT("2.1.5"),
	    (int64_t)queue_now(q) - age));
}

/* A hit is renewed in time, without making anybody wait. */
START_TEST(renewed_ahead)
{
	struct world *w = started();

	known_for(w, "joe@dest.example", VERIFY_AHEAD_MS);
	ask(w, 1, "joe@dest.example");
	until_answer(w, 1, 1, 250, "2.1.5");
	until_jobs(w, 1);
	ask(w, 2, "joe@dest.example");
	until_answer(w, 2, 2, 250, "2.1.5");
	ck_assert_uint_eq(w->njobs, 1);
	outcome(w, 0, SAY_FAILED, false);
	wanted = 1;
	world_wait(w, 50);
	ask(w, 3, "joe@dest.example");
	until_answer(w, 3, 3, 550, "5.1.1");
	world_free(w);
}
END_TEST

/* One that could not be renewed stays; and is tried again, but not for each
 * message. */
START_TEST(renewal_fails)
{
	struct world *w = started();

	known_for(w, "joe@dest.example", VERIFY_HIT_MS + 1);
	ask(w, 1, "joe@dest.example");
	until_jobs(w, 1);
	outcome(w, 0, SAY_DEFERRED, false);
	until_answer(w, 1, 1, 250, "2.1.5");
	ask(w, 2, "joe@dest.example");
	until_answer(w, 2, 2, 250, "2.1.5");
	ck_assert_uint_eq(w->njobs, 1);
	verify_cache_ask(&world_queue(w)->verify->cache, joe, 0)->tried -=
	    VERIFY_RETRY_MS;
	ask(w, 3, "joe@dest.example");
	until_jobs(w, 2);
	outcome(w, 1, SAY_DEFERRED, true);
	until_answer(w, 3, 3, 250, "2.1.5");
	/* Nor does it count for less while its host is down. */
	known_for(w, "ann@dest.example", VERIFY_HIT_MS + 1);
	ask(w, 4, "ann@dest.example");
	until_answer(w, 4, 4, 250, "2.1.5");
	ck_assert_uint_eq(w->njobs, 2);
	world_free(w);
}
END_TEST

/* Several in one transaction, several at once, no more. */
START_TEST(batches)
{
	struct world *w = started();
	char address[64];
	unsigned n = 0;

	w->policy_mute = true;
	for (unsigned i = 0; i < 77; i++) {
		snprintf(address, sizeof(address), "r%u@dest.example", i);
		ask(w, i, address);
	}
	wanted = 1;
	world_until(w, route_asked);
	world_wait(w, 50);
	ck_assert_uint_eq(w->asks, 1);
	w->policy_mute = false;
	world_route(w, w->asked[0].txn, SPAN_LIT("dest.example"));
	until_jobs(w, VERIFY_JOBS_HOP);
	world_wait(w, 50);
	ck_assert_uint_eq(w->njobs, VERIFY_JOBS_HOP);
	for (unsigned i = 0; i < w->njobs; i++) {
		ck_assert_uint_le(w->jobs[i].nrcpts, VERIFY_BATCH);
		n += w->jobs[i].nrcpts;
		outcome(w, i, SAY_SENT, false);
		world_wait(w, 20);
	}
	ck_assert_uint_eq(n, 77);
	wanted = 77;
	world_until(w, answered);
	ck_assert_uint_eq(w->nverified, 77);
	world_free(w);
}
END_TEST

START_TEST(routes)
{
	struct world *w = started();

	ask(w, 1, "joe@sink.example");
	until_answer(w, 1, 1, 250, "2.1.5");
	ask(w, 2, "joe@dnsfail.example");
	until_answer(w, 2, 2, 451, "4.4.3");
	ask(w, 3, "joe@nx.example");
	until_answer(w, 3, 3, 451, "4.3.5");
	ck_assert_uint_eq(w->njobs, 0);
	/* RFC 6531 sec 3.4 */
	ask(w, 4, "j\xc3\xb6@dest.example");
	until_jobs(w, 1);
	ck_assert_uint_eq(w->jobs[0].flags, ENVELOPE_SMTPUTF8);
	world_free(w);
}
END_TEST

/* A host without SMTPUTF8 refuses what needs it; nobody may make it look as if
 * it had refused others with that. */
START_TEST(utf8_not_mixed)
{
	static const char *const addresses[] = { "joe@dest.example",
	    "ann@dest.example", "j\xc3\xb6@dest.example",
	    "\xc3\xb6@dest.example", "bob@dest.example" };
	static const unsigned together[] = { 2, 2, 1 };
	struct world *w = started();

	w->policy_mute = true;
	for (unsigned i = 0; i < 5; i++)
		ask(w, i, addresses[i]);
	wanted = 1;
	world_until(w, route_asked);
	w->policy_mute = false;
	world_route(w, w->asked[0].txn, SPAN_LIT("dest.example"));
	until_jobs(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(w->jobs[i].nrcpts, together[i]);
		ck_assert_uint_eq(w->jobs[i].flags,
		    i == 1 ? ENVELOPE_SMTPUTF8 : 0);
	}
	world_free(w);
}
END_TEST

START_TEST(survives_restart)
{
	struct conf_accept accepts[] = { { .pattern = "dest.example",
	    .to = { .kind = HOP_HOST, .host = "a.example", .port = 25 } } };
	struct world *w = started();

	w->conf.accepts = accepts;
	w->conf.naccepts = 1;
	ask(w, 1, "joe@dest.example");
	until_jobs(w, 1);
	ask(w, 2, "no@dest.example");
	until_jobs(w, 2);
	outcome(w, 0, SAY_SENT, false);
	outcome(w, 1, SAY_FAILED, false);
	wanted = 2;
	world_until(w, answered);
	world_stop(w);
	world_start(w);
	ask(w, 3, "joe@dest.example");
	until_answer(w, 3, 3, 250, "2.0.0");
	ask(w, 4, "no@dest.example");
	until_answer(w, 4, 4, 550, "5.1.1");
	ck_assert_uint_eq(w->njobs, 2);
	world_stop(w);
	/* Another next hop knows nothing yet. */
	accepts[0].to.host = "b.example";
	world_start(w);
	world_register(w, 1);
	ask(w, 5, "joe@dest.example");
	until_jobs(w, 3);
	world_free(w);
}
END_TEST

/* A file that somebody else put there, or that was damaged, costs what it
 * held. */
START_TEST(file_planted)
{
	static const char *const texts[] = { "", "x", "sealane-verify 1\n" };
	struct world *w = started();
	char path[128], target[128];
	int fd;

	log_set_level(LOG_ERROR + 1);
	snprintf(path, sizeof(path), "%s/spool/verify", w->dir);
	snprintf(target, sizeof(target), "%s/elsewhere", w->dir);
	for (unsigned i = 0; i < 5; i++) {
		world_stop(w);
		(void)unlink(path);
		if (i == 3)
			ck_assert_int_eq(symlink(target, path), 0);
		else if (i == 4)
			ck_assert_int_eq(mkfifo(path, 0600), 0);
		else {
			fd = open(path, O_WRONLY | O_CREAT, 0600);
			ck_assert_int_ge(fd, 0);
			ck_assert_int_ge(write(fd, texts[i],
			    strlen(texts[i])), 0);
			close(fd);
		}
		world_start(w);
		world_register(w, 1);
		ask(w, i, "joe@dest.example");
		until_jobs(w, i + 1);
	}
	outcome(w, 4, SAY_SENT, false);
	wanted = 1;
	world_until(w, answered);
	world_stop(w);		/* and is written all the same */
	world_start(w);
	ask(w, 9, "joe@dest.example");
	until_answer(w, 2, 9, 250, "2.0.0");
	ck_assert_int_eq(access(target, F_OK), -1);
	world_free(w);
}
END_TEST

/* Relays that die take nobody's answer with them, unless it is the probe that
 * kills them. */
START_TEST(relay_lost)
{
	struct world *w = started();

	log_set_level(LOG_ERROR + 1);
	ask(w, 1, "joe@dest.example");
	for (unsigned i = 0; i < 3; i++) {
		until_jobs(w, i + 1);
		world_cut(w, ROLE_RELAY, 1);
		world_wait(w, 20);
		if (i == 2)
			break;
		world_link(w, ROLE_RELAY, 1);
		world_register(w, 1);
	}
	until_answer(w, 1, 1, 451, "4.3.0");
	world_free(w);
}
END_TEST

START_TEST(others_lost)
{
	struct world *w = started();

	w->policy_mute = true;
	ask(w, 1, "joe@dest.example");
	wanted = 1;
	world_until(w, route_asked);
	world_cut(w, ROLE_POLICY, 1);
	w->policy_mute = false;
	world_link(w, ROLE_POLICY, 1);
	until_jobs(w, 1);
	world_cut(w, ROLE_SMTPD, 1);
	world_link(w, ROLE_SMTPD, 1);
	outcome(w, 0, SAY_SENT, false);
	world_wait(w, 50);
	ck_assert_uint_eq(w->nverified, 0);
	ask(w, 2, "joe@dest.example");	/* what was found is known */
	until_answer(w, 1, 2, 250, "2.0.0");
	world_free(w);
}
END_TEST

START_TEST(nobody_waits_for_ever)
{
	struct world *w = started();

	world_queue(w)->verify->wait_ms = 10;
	ask(w, 1, "joe@dest.example");
	until_answer(w, 1, 1, 451, "4.4.1");
	ask(w, 2, "joe@dest.example");
	until_answer(w, 2, 2, 451, "4.4.1");
	ck_assert_uint_eq(w->njobs, 1);
	outcome(w, 0, SAY_SENT, false);	/* late, and not in vain */
	world_wait(w, 20);
	ask(w, 3, "joe@dest.example");
	until_answer(w, 3, 3, 250, "2.0.0");
	world_queue(w)->verify->wait_ms = 60000;
	ask(w, 4, "ann@dest.example");
	until_jobs(w, 2);
	world_queue(w)->drained = true;	/* there is no parent to tell */
	queue_ops.drain(&w->env);
	until_answer(w, 4, 4, 451, "4.3.2");
	ask(w, 5, "bob@dest.example");
	until_answer(w, 5, 5, 451, "4.3.2");
	world_free(w);
}
END_TEST

START_TEST(bounded)
{
	struct world *w = started();
	char address[64];

	log_set_level(LOG_ERROR + 1);
	w->policy_mute = true;
	for (unsigned i = 0; i < VERIFY_PROBES; i++) {
		snprintf(address, sizeof(address), "r%u@dest.example", i);
		ask(w, i + 1, address);
		if (i % 64 == 0)
			world_wait(w, 1);
	}
	ask(w, 9999, "one@more.example");
	until_answer(w, 1, 9999, 451, "4.3.2");
	ck_assert_uint_eq(world_queue(w)->verify->nprobes, VERIFY_PROBES);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue verify");
	TCase *t = tcase_create("role");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, asked_once);
	tcase_add_test(t, wish);
	tcase_add_test(t, wish_without_a_way);
	tcase_add_test(t, unknown_is_remembered);
	tcase_add_test(t, unclear_is_no_miss);
	tcase_add_test(t, down);
	tcase_add_test(t, renewed_ahead);
	tcase_add_test(t, renewal_fails);
	tcase_add_test(t, batches);
	tcase_add_test(t, routes);
	tcase_add_test(t, utf8_not_mixed);
	tcase_add_test(t, survives_restart);
	tcase_add_test(t, file_planted);
	tcase_add_test(t, relay_lost);
	tcase_add_test(t, others_lost);
	tcase_add_test(t, nobody_waits_for_ever);
	tcase_add_test(t, bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
