/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any payload as a record of the spool: reading stays inside it, and what is
 * taken for a message becomes one whose texts can be read. */
#include "queue/index.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fuzz.h"

static void
message(const struct record_message *rec)
{
	struct message *m = message_new(rec, 1000, 1000);

	require(m != NULL && m->nrcpts == rec->nrcpts);
	require(m->nopen <= m->nrcpts && m->ndue <= m->nrcpts);
	require(span_eq(message_envid(m), rec->envid));
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];

		require(rcpt_address(r).n <= RECORD_ADDRESS_MAX);
		require(rcpt_domain(r).n <= rcpt_address(r).n);
		require(rcpt_reply(r).n <= RECORD_REPLY_MAX);
		require(rcpt_dsn(r).n <= RECORD_DSN_MAX);
		require(rcpt_site(r).n <= 255 && rcpt_mx(r).n <= 255);
	}
	message_unref(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), id;
	struct record_message m;
	struct record_outcome o;
	struct record_change c;
	uint64_t segment;
	uint32_t offset, n = 0;

	if (record_get_message(in, &m) == 0)
		message(&m);
	if (record_get_outcome(in, &o) == 0) {
		while (record_change(&o.changes, &c) == 1)
			n++;
		require(n == o.nchanges);
	}
	if (record_get_end(in, &id) == 0)
		require(id.n == ID_LEN);
	(void)record_get_void(in, &segment, &offset);
	return 0;
}
