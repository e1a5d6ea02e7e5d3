/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtpd/role_large.c - messages that go to the queue in a file. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/smtpd/rig.h"
#include "tests/unit/suite.h"

static void
start_large(struct rig *g)
{
	static char big[70001];

	memset(big, 'x', sizeof big - 1);
	rig_talk(g, RIG_START, "354 ");
	rig_talk(g, big, NULL);
	rig_run(g, rig_is_opened);
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
	rig_hand_over(g, "\r\n.\r\n");
	ck_assert_uint_eq(g->txn, txn);
	ck_assert(g->in_file);
	ck_assert_uint_eq(g->body.len, 0);
	ck_assert_int_eq(fstat(g->file, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, g->size);
	ck_assert_uint_gt(g->size, 70002);
	rig_answer(g, 250);
	rig_talk(g, "", "250 2.0.0 ");
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
	rig_talk(g, "\r\n.\r\n", "452 4.3.1 Disk is full");
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
	rig_run(g, rig_is_aborted);
	ck_assert_uint_eq(g->commits, 0);
	rig_close(g);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		large_goes_to_a_file,
		large_refused_is_452,
		large_left_is_aborted,
	};

	return rig_suite("smtpd role: large", tests, NELEM(tests));
}
