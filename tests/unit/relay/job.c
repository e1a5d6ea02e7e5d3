/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/job.c - routes and jobs from messages, bodies from memory
 * and files, outcomes that always fit a frame. */
#include "base/crc32c.h"
#include "relay/job.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "relay/job_table.h"
#include "tests/unit/suite.h"

static void
put_host(struct buf *hosts, const char *name, unsigned asked, unsigned why,
    unsigned family, struct span ip, uint16_t port)
{
	struct ipc_host h = { .name = span_str(name), .port = port,
	    .asked = (uint8_t)asked, .why = (uint8_t)why };
	const struct ipc_host_addr a = { .family = (uint8_t)family, .ip = ip };
	struct buf addrs;

	buf_init(&addrs, 1024);
	ck_assert_int_eq(ipc_put_host_addr(&addrs, &a), 0);
	h.addrs = buf_get(&addrs);
	ck_assert_int_eq(ipc_put_host(hosts, &h), 0);
	buf_free(&addrs);
}

static int
decode(struct route *r, struct buf *hosts)
{
	const struct ipc_route m = { .code = 250, .domain = SPAN_LIT("x.org"),
	    .site = 7, .identity = 8, .hosts = buf_get(hosts) };
	struct buf mem;
	int rc;

	buf_init(&mem, 65536);
	ck_assert_int_eq(ipc_put_route(&mem, &m), 0);
	rc = route_decode(r, buf_get(&mem));
	buf_free(&mem);
	buf_reset(hosts);
	return rc;
}

START_TEST(route_good_and_bad)
{
	static const struct {
		unsigned	asked, why, family;
		struct span	ip;
		uint16_t	port;
	} bad[] = {
		{ LEVEL_COUNT, 0, 4, { "abcd", 4 }, 25 },
		{ 0, WHY_COUNT, 4, { "abcd", 4 }, 25 },
		{ 0, 0, 5, { "abcd", 4 }, 25 },
		{ 0, 0, 4, { "abc", 3 }, 25 },
		{ 0, 0, 6, { "abcd", 4 }, 25 },
		{ 0, 0, 4, { "abcd", 4 }, 0 },
	};
	struct route r;
	struct buf hosts;
	int i;

	buf_init(&hosts, 49152);
	put_host(&hosts, "mx1", LEVEL_CLEAR, WHY_NONE, 4, SPAN_LIT("\300\0\2\1"), 25);
	put_host(&hosts, "mx2", LEVEL_NONE, WHY_RULE, 6, SPAN_LIT("0123456789abcdef"), 2525);
	ck_assert_int_eq(decode(&r, &hosts), 0);
	ck_assert_uint_eq(r.nhosts, 2);
	ck_assert_uint_eq(r.site, 7);
	ck_assert_uint_eq(r.identity, 8);
	ck_assert_str_eq(r.hosts[0].name, "mx1");
	ck_assert_uint_eq(r.hosts[0].addrs[0].port, 25);
	ck_assert_int_eq(r.hosts[1].asked, LEVEL_CLEAR);	/* none asks nothing */
	ck_assert_uint_eq(r.hosts[1].addrs[0].family, 6);
	route_free(&r);
	for (i = 0; i < NELEM(bad); i++) {
		put_host(&hosts, "mx", bad[i].asked, bad[i].why, bad[i].family,
		    bad[i].ip, bad[i].port);
		ck_assert_msg(decode(&r, &hosts) == -1, "row %d", i);
	}
	ck_assert_int_eq(route_decode(&r, SPAN_LIT("nonsense")), -1);
	for (i = 0; i < 200; i++)
		put_host(&hosts, "mx", 1, 0, 4, SPAN_LIT("\300\0\2\1"), 25);
	ck_assert_int_eq(decode(&r, &hosts), 0);
	ck_assert_uint_eq(r.nhosts, ROUTE_HOSTS);
	route_free(&r);
	buf_free(&hosts);
}
END_TEST

/* RFC 5321 sec 5.1: equals in random order, ranks as they are. */
START_TEST(route_spreads)
{
	static const uint16_t ranks[] = { 5, 10, 10, 10, 20 };
	unsigned first[NELEM(ranks)] = { 0 };
	struct route r = { .nhosts = NELEM(ranks) };

	r.hosts = calloc(r.nhosts, sizeof(*r.hosts));
	ck_assert_ptr_nonnull(r.hosts);
	for (uint64_t seed = 0; seed < 3000; seed++) {
		for (unsigned i = 0; i < r.nhosts; i++)
			r.hosts[i] = (struct route_host){ .port = (uint16_t)i,
			    .preference = ranks[i] };
		route_spread(&r, seed);
		for (unsigned i = 0; i < r.nhosts; i++)
			ck_assert_uint_eq(r.hosts[i].preference, ranks[i]);
		ck_assert_uint_eq(r.hosts[0].port, 0);
		ck_assert_uint_eq(r.hosts[4].port, 4);
		ck_assert_int_eq(r.hosts[1].port + r.hosts[2].port +
		    r.hosts[3].port, 1 + 2 + 3);
		first[r.hosts[1].port]++;
	}
	for (unsigned i = 1; i <= 3; i++)
		ck_assert_uint_gt(first[i], 850);
	free(r.hosts);
	r = (struct route){ .nhosts = 0 };
	route_spread(&r, 1);
}
END_TEST

static struct job *
make_job(unsigned nrcpts)
{
	struct job *j = job_new(5);
	struct buf list;
	unsigned i;
	struct ipc_job m = { .job = 5, .id = SPAN_LIT("aaaaaaaaaaaaaaaa"),
	    .sender = SPAN_LIT("s@x"), .body = SPAN_LIT("hi\r\n"), .size = 4 };

	buf_init(&list, 61440);
	for (i = 0; i < nrcpts; i++) {
		const struct ipc_job_rcpt r = { .index = i,
		    .address = SPAN_LIT("a@b.c"), .orcpt = SPAN_NONE };

		ck_assert_int_eq(ipc_put_job_rcpt(&list, &r), 0);
	}
	m.rcpts = buf_get(&list);
	ck_assert_int_eq(job_fill(j, &m, -1), 0);
	ck_assert_int_eq(job_fill(j, &m, -1), -1);	/* once is enough */
	buf_free(&list);
	return j;
}

START_TEST(job_refused)
{
	struct ipc_job m = { .job = 5, .id = SPAN_LIT("aaaaaaaaaaaaaaaa"),
	    .sender = SPAN_NONE, .rcpts = SPAN_NONE, .body = SPAN_LIT("hi"),
	    .size = 3 };
	struct job *j = job_new(5);

	ck_assert_int_eq(job_fill(j, &m, -1), -1);	/* size, and no file */
	job_free(&j);
	j = job_new(5);
	m.size = 2;
	ck_assert_int_eq(job_fill(j, &m, -1), -1);	/* for nobody */
	job_free(&j);
}
END_TEST

/* As many recipients as one JOB can hold, with replies as long as they can be,
 * go in one outcome. */
START_TEST(outcome_fits)
{
	static const unsigned counts[] = { 1, 50, 200, 1000, 3400 };
	char reply[REPLY_LINE_SIZE], mx[250];
	struct ipc_job_outcome m;
	struct ipc_outcome o;
	struct buf list;
	struct span walk;
	struct job *j = make_job(counts[_i]);
	unsigned n = 0;
	size_t i;

	memset(reply, 'r', sizeof(reply) - 1);
	reply[sizeof(reply) - 1] = '\0';
	memset(mx, 'm', sizeof(mx) - 1);
	mx[sizeof(mx) - 1] = '\0';
	for (i = 0; i < j->nrcpts; i++)
		job_judge(j, &j->rcpts[i], OUTCOME_FAILED, "5.1.10", reply, mx);
	buf_init(&list, 116 * 1024);
	ck_assert_int_eq(job_outcome(j, &list, &m), 0);
	ck_assert_uint_le(m.outcomes.n, 118784);
	walk = m.outcomes;
	while (ipc_get_outcome(&walk, &o) == 1) {
		ck_assert_uint_eq(o.index, n++);
		ck_assert_int_eq(o.status, OUTCOME_FAILED);
		ck_assert(span_eq(o.dsn, SPAN_LIT("5.1.10")));
	}
	ck_assert_uint_eq(n, counts[_i]);
	if (n == 1)
		ck_assert_uint_eq(o.reply.n, REPLY_LINE_SIZE - 1);
	buf_free(&list);
	job_free(&j);
}
END_TEST

START_TEST(job_domains)
{
	ck_assert(span_eq(job_domain(SPAN_LIT("a@b.c")), SPAN_LIT("b.c")));
	ck_assert(span_eq(job_domain(SPAN_LIT("\"a@x\"@b.c")), SPAN_LIT("b.c")));
	ck_assert(span_eq(job_domain(SPAN_LIT("postmaster")), SPAN_NONE));
	ck_assert(span_eq(job_domain(SPAN_LIT("a@")), SPAN_NONE));
}
END_TEST

static int
file_of(size_t n)
{
	static char bytes[BODY_PIECE];
	int fd = memfd_create("body", MFD_CLOEXEC);
	size_t k;

	memset(bytes, 'x', sizeof(bytes));
	for (; n > 0; n -= k) {
		k = n < sizeof(bytes) ? n : sizeof(bytes);
		ck_assert_int_eq(write(fd, bytes, k), (ssize_t)k);
	}
	return fd;
}

/* A file that was changed is known before its last piece is given out. */
START_TEST(body_sums)
{
	static char bytes[3 * BODY_PIECE + 17];
	FILE *file = tmpfile();
	struct body b = { .fd = fileno(file), .size = sizeof bytes,
	    .summed = true };
	struct span s;
	uint64_t at;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 31);
	b.sum = crc32c(0, bytes, sizeof bytes);
	for (int changed = 0; changed < 2; changed++) {
		bytes[70000] ^= (char)changed;
		ck_assert_int_eq(pwrite(b.fd, bytes, sizeof bytes, 0),
		    (ssize_t)sizeof bytes);
		/* Twice, as when it is sent to another host. */
		for (int round = 0; round < 2; round++) {
			for (at = 0; body_piece(&b, at, 1000 + 40000 *
			    (size_t)round, &s, NULL) == 0 && s.n > 0;
			    at += s.n)
				;
			ck_assert((at == b.size) == (changed == 0));
		}
	}
	fclose(file);
}
END_TEST

START_TEST(body_pieces)
{
	struct body b = { .fd = file_of(150000), .size = 150000 };
	struct span s;
	uint64_t at;

	for (at = 0; body_piece(&b, at, BODY_PIECE + 1, &s, NULL) == 0 && s.n > 0; at += s.n)
		ck_assert_uint_le(s.n, BODY_PIECE);
	ck_assert_uint_eq(at, 150000);
	ck_assert_int_eq(body_piece(&b, 7, 5, &s, NULL), 0);
	ck_assert_uint_eq(s.n, 5);
	/* shorter than it was said to be */
	b.size = 150001;
	ck_assert_int_eq(body_piece(&b, 150000, 1, &s, NULL), -1);
	body_close(&b);
	ck_assert_int_eq(b.fd, -1);
	b = (struct body){ .fd = -1, .inline_bytes = SPAN_LIT("abc"), .size = 3 };
	ck_assert_int_eq(body_piece(&b, 1, 10, &s, NULL), 0);
	ck_assert(span_eq(s, SPAN_LIT("bc")));
	ck_assert(!body_has_long_line(&b));
	ck_assert_int_eq(body_piece(&b, 3, 10, &s, NULL), 0);
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

static void
count_job(void *arg, struct job *j)
{
	(void)j;
	*(unsigned *)arg += 1;
}

START_TEST(table_numbers)
{
	static struct job_table t;
	unsigned n = 0;
	uint64_t i;

	for (i = 1; i <= 3000; i++)
		ck_assert_ptr_nonnull(job_table_add(&t, i));
	ck_assert_uint_eq(t.highest, 3000);
	for (i = 2; i <= 3000; i += 2)
		job_table_free(&t, job_table_find(&t, i));
	ck_assert_ptr_null(job_table_find(&t, 2));
	ck_assert_ptr_nonnull(job_table_find(&t, 1025));
	job_table_each(&t, count_job, &n);
	ck_assert_uint_eq(n, 1500);
	ck_assert_uint_eq(t.n, 1500);
	for (i = 1; i <= 3000; i += 2)
		job_table_free(&t, job_table_find(&t, i));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay job");
	TCase *tc = tcase_create("job");

	tcase_add_test(tc, route_good_and_bad);
	tcase_add_test(tc, route_spreads);
	tcase_add_test(tc, job_refused);
	tcase_add_loop_test(tc, outcome_fits, 0, 5);
	tcase_add_test(tc, job_domains);
	tcase_add_test(tc, body_sums);
	tcase_add_test(tc, body_pieces);
	tcase_add_test(tc, table_numbers);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
