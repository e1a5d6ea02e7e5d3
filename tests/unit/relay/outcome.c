/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/outcome.c - what a reply or an end means. */
#include "relay/outcome.h"

#include "tests/unit/suite.h"

static const struct row {
	const char	*rfc;
	enum client_step step;
	int		 code;
	const char	*enhanced;
	enum outcome_status status;
	bool		 next, again, trouble;
	const char	*dsn;
} rows[] = {
	{ "5321 3.1", CLIENT_GREETING, 554, "5.7.1", OUTCOME_DEFERRED, true, false, true, "4.7.1" },
	{ "5321 3.1", CLIENT_GREETING, 450, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 3.8", CLIENT_GREETING, 421, "4.7.0", OUTCOME_DEFERRED, true, false, true, "4.7.0" },
	{ "5321 4.1.1.1", CLIENT_EHLO, 451, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 4.1.1.1", CLIENT_EHLO, 550, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 4.1.1.1", CLIENT_HELO, 550, "5.7.1", OUTCOME_FAILED, true, false, true, "5.7.1" },
	{ "5321 4.1.1.1", CLIENT_HELO, 450, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "7504 3", CLIENT_GREETING, 521, "", OUTCOME_FAILED, true, false, true, "5.3.2" },
	{ "7504 3", CLIENT_EHLO, 521, "", OUTCOME_FAILED, true, false, true, "5.3.2" },
	{ "7504 4", CLIENT_GREETING, 556, "", OUTCOME_FAILED, true, false, true, "5.1.10" },
	{ "5321 3.8", CLIENT_MAIL, 421, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 3.8", CLIENT_RCPT, 421, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 3.8", CLIENT_DATA, 421, "", OUTCOME_DEFERRED, false, false, true, "4.3.2" },
	{ "5321 3.8", CLIENT_FINAL, 421, "", OUTCOME_DEFERRED, false, false, true, "4.3.2" },
	{ "5321 3.3", CLIENT_MAIL, 452, "4.3.1", OUTCOME_DEFERRED, true, false, true, "4.3.1" },
	{ "5321 3.3", CLIENT_MAIL, 550, "5.7.1", OUTCOME_FAILED, false, false, false, "5.7.1" },
	{ "5321 3.3", CLIENT_MAIL, 552, "5.3.4", OUTCOME_FAILED, false, false, false, "5.3.4" },
	{ "5321 3.3", CLIENT_RCPT, 550, "5.1.1", OUTCOME_FAILED, false, false, false, "5.1.1" },
	{ "5321 3.3", CLIENT_RCPT, 550, "", OUTCOME_FAILED, false, false, false, "5.0.0" },
	{ "5321 3.3", CLIENT_RCPT, 550, "2.1.5", OUTCOME_FAILED, false, false, false, "5.0.0" },
	{ "5321 3.3", CLIENT_RCPT, 450, "4.7.1", OUTCOME_DEFERRED, false, false, false, "4.7.1" },
	{ "5321 3.3", CLIENT_RCPT, 450, "", OUTCOME_DEFERRED, false, false, false, "4.0.0" },
	{ "5321 4.5.3.1.10", CLIENT_RCPT, 452, "4.5.3", OUTCOME_DEFERRED, false, true, false, "4.5.3" },
	{ "5321 4.5.3.1.10", CLIENT_RCPT, 552, "5.5.3", OUTCOME_DEFERRED, false, true, false, "4.5.3" },
	{ "5321 4.5.3.1.10", CLIENT_RCPT, 552, "", OUTCOME_DEFERRED, false, true, false, "4.5.3" },
	{ "5321 4.2.5", CLIENT_DATA, 451, "", OUTCOME_DEFERRED, false, false, false, "4.0.0" },
	{ "5321 4.2.5", CLIENT_DATA, 554, "", OUTCOME_FAILED, false, false, false, "5.0.0" },
	{ "5321 4.2.5", CLIENT_BODY, 552, "5.3.4", OUTCOME_FAILED, false, false, false, "5.3.4" },
	{ "5321 4.2.5", CLIENT_BODY, 452, "", OUTCOME_DEFERRED, false, false, false, "4.0.0" },
	{ "5321 4.2.5", CLIENT_FINAL, 250, "2.6.0", OUTCOME_SENT, false, false, false, "2.6.0" },
	{ "5321 4.2.5", CLIENT_FINAL, 250, "", OUTCOME_SENT, false, false, false, "2.0.0" },
	{ "5321 4.2.5", CLIENT_FINAL, 451, "", OUTCOME_DEFERRED, false, false, false, "4.0.0" },
	{ "5321 4.2.5", CLIENT_FINAL, 554, "5.7.1", OUTCOME_FAILED, false, false, false, "5.7.1" },
	{ "5321 4.2.1", CLIENT_IDLE, 250, "", OUTCOME_DEFERRED, true, false, false, "4.5.0" },
};

START_TEST(outcome_rows)
{
	const struct row *r = &rows[_i];
	const struct outcome_rule *got = outcome_of_reply(r->step, r->code);
	char dsn[REPLY_ENHANCED_SIZE];

	outcome_dsn(got, r->enhanced, dsn);
	ck_assert_msg(got->status == r->status && got->next_host == r->next &&
	    got->again == r->again && got->trouble == r->trouble,
	    "RFC %s: %s %d: %s next=%d again=%d trouble=%d", r->rfc,
	    client_step_name(r->step),
	    r->code, outcome_name(got->status), got->next_host, got->again,
	    got->trouble);
	ck_assert_str_eq(dsn, r->dsn);
}
END_TEST

/* A probe learns from the answer to RCPT alone. */
static const struct row probe_rows[] = {
	{ "5321 3.3", CLIENT_RCPT, 250, "2.1.5", OUTCOME_SENT, false, false, false, "2.1.5" },
	{ "5321 3.3", CLIENT_RCPT, 251, "", OUTCOME_SENT, false, false, false, "2.1.5" },
	{ "5321 3.3", CLIENT_RCPT, 550, "5.1.1", OUTCOME_FAILED, false, false, false, "5.1.1" },
	{ "5321 3.3", CLIENT_RCPT, 553, "", OUTCOME_FAILED, false, false, false, "5.0.0" },
	{ "5321 3.3", CLIENT_RCPT, 450, "4.7.1", OUTCOME_DEFERRED, false, false, false, "4.7.1" },
	{ "5321 4.5.3.1.10", CLIENT_RCPT, 552, "5.2.2", OUTCOME_DEFERRED, false, true, false, "4.2.2" },
	{ "5321 3.8", CLIENT_RCPT, 421, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 3.3", CLIENT_MAIL, 550, "5.7.1", OUTCOME_DEFERRED, false, false, false, "4.7.1" },
	{ "5321 3.3", CLIENT_MAIL, 451, "", OUTCOME_DEFERRED, true, false, true, "4.0.0" },
	{ "7504 3", CLIENT_GREETING, 521, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 3.1", CLIENT_GREETING, 554, "5.7.1", OUTCOME_DEFERRED, true, false, true, "4.7.1" },
	{ "5321 4.1.1.1", CLIENT_HELO, 550, "", OUTCOME_DEFERRED, true, false, true, "4.3.2" },
	{ "5321 4.2.1", CLIENT_IDLE, 554, "", OUTCOME_DEFERRED, false, false, false, "4.0.0" },
};

START_TEST(probe_outcomes)
{
	const struct row *r = &probe_rows[_i];
	const struct outcome_rule *got = outcome_of_probe(r->step, r->code);
	char dsn[REPLY_ENHANCED_SIZE];

	outcome_dsn(got, r->enhanced, dsn);
	ck_assert_msg(got->status == r->status && got->next_host == r->next &&
	    got->again == r->again && got->trouble == r->trouble &&
	    strcmp(dsn, r->dsn) == 0, "RFC %s: %s %d: %s %s", r->rfc,
	    client_step_name(r->step), r->code, outcome_name(got->status),
	    dsn);
}
END_TEST

static const struct end_row {
	const char	*rfc;
	enum client_end	 end;
	enum client_step at;
	bool		 next, trouble;
	const char	*dsn;
} ends[] = {
	{ "5321 3.8", CLIENT_END_LOST, CLIENT_GREETING, true, true, "4.4.2" },
	{ "5321 4.5.3.2", CLIENT_END_TIMEOUT, CLIENT_MAIL, true, true, "4.4.2" },
	{ "5321 3.8", CLIENT_END_LOST, CLIENT_RCPT, true, false, "4.4.2" },
	{ "5321 3.8", CLIENT_END_LOST, CLIENT_DATA, true, false, "4.4.2" },
	{ "5321 4.5.3.2", CLIENT_END_TIMEOUT, CLIENT_BODY, true, false, "4.4.2" },
	{ "1047 3", CLIENT_END_LOST, CLIENT_FINAL, false, false, "4.4.2" },
	{ "1047 3", CLIENT_END_TIMEOUT, CLIENT_FINAL, false, false, "4.4.2" },
	{ "1047 3", CLIENT_END_PROTOCOL, CLIENT_FINAL, false, false, "4.4.2" },
	{ "5321 4.2", CLIENT_END_PROTOCOL, CLIENT_EHLO, true, true, "4.5.0" },
	{ "5321 4.2", CLIENT_END_PROTOCOL, CLIENT_RCPT, true, false, "4.5.0" },
	{ "3207 4.2", CLIENT_END_INJECTED, CLIENT_STARTTLS, true, false, "4.7.7" },
	{ "3207 4.1", CLIENT_END_TLS_REFUSED, CLIENT_STARTTLS, true, false, "4.7.5" },
};

START_TEST(outcome_ends)
{
	const struct end_row *r = &ends[_i];
	const struct outcome_rule *got = outcome_of_end(r->end, r->at);

	ck_assert_msg(got->status == OUTCOME_DEFERRED &&
	    got->next_host == r->next && got->trouble == r->trouble &&
	    strcmp(got->dsn, r->dsn) == 0, "RFC %s: end %d at %s: %s", r->rfc,
	    r->end, client_step_name(r->at), got->dsn);
}
END_TEST

/* Each step and code, each end, has a rule; a message is "sent" only by a 2xx
 * to its final dot. */
START_TEST(outcome_all)
{
	int step, code, end;

	for (step = 0; step < CLIENT_STEP_COUNT; step++) {
		for (code = 200; code < 600; code++) {
			const struct outcome_rule *r =
			    outcome_of_reply((enum client_step)step, code);

			ck_assert((r->status == OUTCOME_SENT) ==
			    (step == CLIENT_FINAL && code < 300));
			if (r->status == OUTCOME_FAILED)
				ck_assert_int_ge(code, 500);
			r = outcome_of_probe((enum client_step)step, code);
			ck_assert(r->status == OUTCOME_DEFERRED ||
			    step == CLIENT_RCPT || code < 300);
		}
		for (end = 0; end <= CLIENT_END_LOST; end++)
			ck_assert_int_eq(outcome_of_end((enum client_end)end,
			    (enum client_step)step)->status, OUTCOME_DEFERRED);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay outcome");
	TCase *tc = tcase_create("outcome");

	tcase_add_loop_test(tc, outcome_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, probe_outcomes, 0, NELEM(probe_rows));
	tcase_add_loop_test(tc, outcome_ends, 0, NELEM(ends));
	tcase_add_test(tc, outcome_all);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
