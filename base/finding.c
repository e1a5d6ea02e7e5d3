/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/finding.c - see base/finding.h. */
#include "base/finding.h"

#include <assert.h>

static const char *const names[FINDING_COUNT] = {
	"none", "starttls-stripped", "starttls-mangled", "starttls-refused",
	"tls-handshake-failed", "tls-downgrade", "key-changed",
	"dane-mismatch", "dane-unusable", "dnssec-bogus", "sts-fetch-failed",
	"sts-invalid", "sts-mx-mismatch", "cert-untrusted", "cert-expired",
	"cert-name-mismatch", "requiretls-unsupported", "injection",
	"resolver-dishonest", "inbound-lost-tls",
};

const char *
finding_name(enum finding k)
{
	assert((unsigned)k < FINDING_COUNT);
	return names[k];
}

enum finding
finding_of_how(enum how how)
{
	switch (how) {
	case HOW_NOT_OFFERED:
		return FINDING_STRIPPED;
	case HOW_MANGLED:
		return FINDING_MANGLED;
	case HOW_REFUSED:
		return FINDING_REFUSED;
	case HOW_FAILED:
		return FINDING_HANDSHAKE;
	default:
		return FINDING_NONE;
	}
}
