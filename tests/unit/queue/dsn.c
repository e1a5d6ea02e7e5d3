/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/dsn.c - what clients ask for about notifications, on its
 * way through the queue role between fakes. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"

static bool one_job(struct world *w) { return w->njobs >= 1; }
static bool two_jobs(struct world *w) { return w->njobs >= 2; }

static struct world *
started(void)
{
	struct world *w = world_new();

	world_start(w);
	world_register(w, 1);
	return w;
}

/* RFC 3461 sec 5.2.1: what came with the message goes on with it. */
START_TEST(the_envelope_is_kept)
{
	struct world *w = started();
	char id[ID_SIZE];

	w->say = SAY_NOTHING;
	w->flags = ENVELOPE_8BIT | ENVELOPE_RET_HDRS;
	w->envid = "QQ+2B314159";
	w->notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
	w->orcpt = "rfc822;first@old.example";
	world_id(1, id);
	world_send(w, 1, id, FROM, "r@dest.example", BODY);
	world_until(w, one_job);
	world_stop(w);
	world_start(w);
	world_register(w, 1);
	world_until(w, two_jobs);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(w->jobs[i].flags, w->flags);
		ck_assert_str_eq(w->jobs[i].envid, w->envid);
		ck_assert_uint_eq(w->jobs[i].notify, w->notify);
		ck_assert_str_eq(w->jobs[i].orcpt, w->orcpt);
		ck_assert_str_eq(w->jobs[i].body, BODY);
	}
	world_free(w);
}
END_TEST

/* As long as they may be, 100 recipients and a body do not fit a frame. */
START_TEST(a_job_fits_its_frame)
{
	struct world *w = started();
	static char rcpts[32768], body[65536], orcpt[ENVELOPE_ORCPT_MAX + 1];
	char id[ID_SIZE];
	size_t at = 0;

	for (unsigned i = 0; i < 100; i++)
		at += (size_t)snprintf(rcpts + at, sizeof(rcpts) - at,
		    "%s%0200u@dest.example", i == 0 ? "" : " ", i);
	memset(orcpt, 'x', sizeof(orcpt) - 1);
	memset(body, 'b', sizeof(body) - 1);
	w->orcpt = orcpt;
	w->say = SAY_NOTHING;
	world_id(1, id);
	world_send(w, 1, id, FROM, rcpts, body);
	world_until(w, two_jobs);
	ck_assert_uint_eq(w->jobs[0].nrcpts + w->jobs[1].nrcpts, 100);
	ck_assert_str_eq(w->jobs[1].body, body);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue dsn");
	TCase *t = tcase_create("dsn");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 25);
	tcase_add_test(t, the_envelope_is_kept);
	tcase_add_test(t, a_job_fits_its_frame);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
