/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/oracle/oracle.h - one question for two judges: a chain, TLSA records
 * and the name of the host. */
#ifndef TESTS_ORACLE_ORACLE_H
#define TESTS_ORACLE_ORACLE_H

#include "dane/match.h"

#define ORACLE_HOST	"mx.example.org"
#define ORACLE_RECORDS	4
#define ORACLE_DATA	2048

struct question {
	struct tls_chain chain;
	uint8_t		 rdata[ORACLE_RECORDS][ORACLE_DATA];
	size_t		 rdata_len[ORACLE_RECORDS];
	size_t		 nrecords;
	bool		 stale_anchor;	/* a usage 2 record of one out of its time */
	bool		 twins;		/* sent: authorities of one name and key */
	char		 text[512];	/* for people */
};

/* chains.c: certificates made at the start; then as many questions as wanted,
 * the same ones for the same seed. */
void	chains_open(void);
void	chains_close(void);
void	chains_ask(struct question *, uint64_t *seed);

/* openssl.c: its answer, and its words for a mismatch. */
void			 openssl_open(void);
void			 openssl_close(void);
enum dane_verdict	 openssl_judge(const struct question *, const char **why);

#endif
