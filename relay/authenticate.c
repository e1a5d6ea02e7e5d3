/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/authenticate.c - see authenticate.h. */
#include "relay/authenticate.h"

#include <stdlib.h>

#include "base/log.h"
#include "dane/match.h"
#include "tls/chain.h"
#include "tls/trust.h"

/* Under the names of the findings.  What is wrong with a chain of before is
 * none: the host is asked for the one that it has now. */
static void
tell(const char *event, enum finding finding, struct session *s,
    const struct route_host *host)
{
	if (s->hop.tls.resumed)
		return;
	s->finding = finding;
	log_warn(event, KV_S("session", s->hop.session),
	    KV_S("mx", s->hop.mx), KV_S("addr", s->hop.addr),
	    KV_S("asked", level_name(host->asked)),
	    KV_S("why", why_name(host->why)), KV_Q("reason", s->fault.text));
}

/* RFC 8461 sec 4.2: the certificate must name the MX host itself, whatever the
 * policy's pattern was. */
static bool
webpki(const struct tls_trust *trust, struct session *s,
    const struct route_host *host)
{
	struct tls_chain chain;

	if (trust == NULL) {
		fault_set(&s->fault, FAULT_TEMP, 0, "4.7.5",
		    "no authorities are loaded here");
		return false;
	}
	channel_peer_chain(s->channel, &chain);
	switch (tls_trust_judge(trust, &chain, host->name, &s->fault)) {
	case TLS_VALID:
		return true;
	case TLS_EXPIRED:
		tell("cert-expired", FINDING_CERT_EXPIRED, s, host);
		return false;
	case TLS_NAME_MISMATCH:
		tell("cert-name-mismatch", FINDING_CERT_NAME, s, host);
		return false;
	default:
		tell("cert-untrusted", FINDING_CERT_UNTRUSTED, s, host);
		return false;
	}
}

/* RFC 7672 sec 3.2.2: the base domain, and the next hop by both its names when
 * the DNS vouches for the way from there to the host. */
static bool
dane(struct session *s, const struct route *r, const struct route_host *host)
{
	const char *names[4] = { host->base };
	struct tlsa *v = calloc(host->ntlsa, sizeof(*v));
	enum dane_verdict verdict = DANE_MISMATCH;
	struct tls_chain chain;
	size_t n = 1;

	if (v == NULL) {
		fault_set(&s->fault, FAULT_TEMP, 0, "4.3.0", "no memory");
		return false;
	}
	if (r->mx_secure) {
		names[n++] = r->domain;
		if (r->expanded[0] != '\0')
			names[n++] = r->expanded;
	}
	channel_peer_chain(s->channel, &chain);
	for (unsigned i = 0; i < host->ntlsa; i++)
		tlsa_read(host->tlsa[i], &v[i]);
	if (tlsa_choose(v, host->ntlsa) > 0)
		verdict = dane_match(v, host->ntlsa, &chain, names, NULL,
		    &s->fault);
	free(v);
	if (verdict == DANE_MATCH)
		return true;
	tell("dane-mismatch", FINDING_DANE_MISMATCH, s, host);
	return false;
}

bool
authenticate(const struct tls_trust *trust, struct session *s,
    const struct route *r, const struct route_host *host)
{
	/* Whatever is asked: records that do not match mean that this is not
	 * the host (RFC 7672 sec 2.2). */
	if (host->ntlsa > 0) {
		if (!dane(s, r, host))
			return false;
		s->hop.how = HOW_DANE_INSECURE_MX;
	}
	switch (host->asked) {
	case LEVEL_DANE:
		if (host->ntlsa == 0)
			break;
		s->level = LEVEL_DANE;
		s->hop.how = HOW_TLSA;
		return true;
	case LEVEL_STS:
	case LEVEL_VERIFIED:
		if (!webpki(trust, s, host))
			return false;
		s->level = host->asked;
		s->hop.how = host->asked == LEVEL_STS ? HOW_WEBPKI : HOW_NAME;
		return true;
	default:
		return true;
	}
	fault_set(&s->fault, FAULT_TEMP, 0, "4.7.5", "there are no records");
	return false;
}
