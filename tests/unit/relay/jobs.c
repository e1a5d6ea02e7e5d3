/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/relay/jobs.h"

#include <check.h>

#include "base/clock.h"
#include "base/hop.h"

void
jobs_route(struct link *l, uint64_t job, uint16_t port, unsigned asked)
{
	struct ipc_host_addr addr = { .family = 4, .ip = SPAN_LIT("\177\0\0\1") };
	struct ipc_host host = { .name = SPAN_LIT("mx.example.org"),
	    .port = port, .asked = (uint8_t)asked, .why = WHY_NONE };
	struct ipc_route route = { .code = 250, .domain = SPAN_LIT("example.org"),
	    .site = 1, .identity = asked };
	struct buf addrs, hosts, mem;

	buf_init(&addrs, 1024);
	buf_init(&hosts, 4096);
	buf_init(&mem, 65536);
	ck_assert_int_eq(ipc_put_host_addr(&addrs, &addr), 0);
	host.addrs = buf_get(&addrs);
	ck_assert_int_eq(ipc_put_host(&hosts, &host), 0);
	route.hosts = buf_get(&hosts);
	ck_assert_int_eq(ipc_put_route(&mem, &route), 0);
	ck_assert_int_eq(ipc_send_job_route(l, &(struct ipc_job_route){
	    .job = job, .route = buf_get(&mem) }, -1), 0);
	buf_free(&addrs);
	buf_free(&hosts);
	buf_free(&mem);
}

void
jobs_send(struct link *l, const struct ipc_job *job, unsigned nrcpts, int fd)
{
	struct ipc_job m = *job;
	struct buf list;

	m.id = SPAN_LIT("abcdefghijklmnop");
	m.sender = SPAN_LIT("from@example.net");
	m.arrived = clock_wall_ms() - 1500;
	buf_init(&list, 61440);
	for (unsigned i = 0; i < nrcpts; i++)
		ck_assert_int_eq(ipc_put_job_rcpt(&list, &(struct ipc_job_rcpt){
		    .index = i, .address = SPAN_LIT("to@example.org") }), 0);
	m.rcpts = buf_get(&list);
	ck_assert_int_eq(ipc_send_job(l, &m, fd), 0);
	buf_free(&list);
}
