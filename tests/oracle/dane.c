/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/oracle/dane.c - dane_match() and OpenSSL's verifier are asked the same
 * questions: `oracle_dane [COUNT [SEED]]`. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/oracle/oracle.h"

#define COUNT	1000
#define SHOWN	20		/* differences in full */

/* Why OpenSSL decides otherwise, and we stay as we are. */
enum reason { BARE_KEY, STALE_ANCHOR, TWINS, NONE, REASONS };
static const char *const reasons[REASONS] = {
	[BARE_KEY] = "a bare key is the anchor, whatever a certificate says",
	[STALE_ANCHOR] = "an anchor is out of its time",
	[TWINS] = "there are two authorities of one name and key",
	[NONE] = "for no reason that we know",
};

struct tally {
	unsigned long	verdicts[DANE_UNUSABLE + 1], differ[REASONS];
};

struct answer {
	enum dane_verdict verdict;
	const struct tlsa *matched;		/* NULL: none */
	struct tlsa	 records[ORACLE_RECORDS];
	struct fault	 fault;
};

static void
judge(const struct question *q, struct answer *a)
{
	static const char *const names[] = { ORACLE_HOST, NULL };
	int which;

	for (size_t i = 0; i < q->nrecords; i++)
		tlsa_read(span_of(q->rdata[i], q->rdata_len[i]),
		    &a->records[i]);
	(void)tlsa_choose(a->records, q->nrecords);
	a->fault = (struct fault){ 0 };
	a->verdict = dane_match(a->records, q->nrecords, &q->chain, names,
	    &which, &a->fault);
	a->matched = which == -1 ? NULL : &a->records[which];
}

static enum reason
reason_for(const struct question *q, const struct answer *a,
    enum dane_verdict theirs)
{
	/* RFC 7671 sec 5.2.3: the anchor is a key.  OpenSSL looks for it in a
	 * certificate of the chain first, and then for that one's dates and
	 * constraints; had the server left it out, it would not. */
	if (a->verdict == DANE_MATCH && theirs == DANE_MISMATCH &&
	    a->matched->usage == TLSA_DANE_TA &&
	    a->matched->selector == TLSA_SPKI &&
	    a->matched->matching == TLSA_FULL)
		return BARE_KEY;
	/* It checks the dates of an anchor only when that signed itself. */
	if (a->verdict == DANE_MISMATCH && theirs == DANE_MATCH &&
	    q->stale_anchor)
		return STALE_ANCHOR;
	/* Each tries one of them, and not always the same one. */
	return q->twins ? TWINS : NONE;
}

static void
count(struct tally *t, const struct question *q)
{
	struct answer a;
	const char *why;
	enum reason reason;
	enum dane_verdict theirs = openssl_judge(q, &why);

	judge(q, &a);
	t->verdicts[a.verdict]++;
	if (a.verdict == theirs)
		return;
	reason = reason_for(q, &a, theirs);
	if (t->differ[reason]++ < SHOWN && reason == NONE)
		printf("%s\n\tours %s (%s), OpenSSL %s (%s)\n", q->text,
		    dane_verdict_name(a.verdict), a.fault.text,
		    dane_verdict_name(theirs), why);
}

int
main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : COUNT;
	uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	struct question *q = malloc(sizeof(*q));
	struct tally t = { 0 };

	if (q == NULL)
		return 2;
	openssl_open();
	chains_open();
	for (unsigned long i = 0; i < n; i++) {
		chains_ask(q, &seed);
		count(&t, q);
	}
	printf("%lu questions: %lu match, %lu mismatch, %lu unusable\n", n,
	    t.verdicts[DANE_MATCH], t.verdicts[DANE_MISMATCH],
	    t.verdicts[DANE_UNUSABLE]);
	for (unsigned r = 0; r < REASONS; r++)
		printf("OpenSSL decides otherwise: %lu, %s\n", t.differ[r],
		    reasons[r]);
	chains_close();
	openssl_close();
	free(q);
	return t.differ[NONE] == 0 ? 0 : 1;
}
