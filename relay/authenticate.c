/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/authenticate.c - see authenticate.h. */
#include "relay/authenticate.h"

#include "base/log.h"
#include "tls/chain.h"
#include "tls/trust.h"

/* Under the names of the findings. */
static void
tell(const char *event, const struct session *s, const struct route_host *host)
{
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
		tell("cert-expired", s, host);
		return false;
	case TLS_NAME_MISMATCH:
		tell("cert-name-mismatch", s, host);
		return false;
	default:
		tell("cert-untrusted", s, host);
		return false;
	}
}

bool
authenticate(const struct tls_trust *trust, struct session *s,
    const struct route_host *host)
{
	switch (host->asked) {
	case LEVEL_STS:
	case LEVEL_VERIFIED:
		if (!webpki(trust, s, host))
			return false;
		s->level = host->asked;
		s->hop.how = host->asked == LEVEL_STS ? HOW_WEBPKI : HOW_NAME;
		return true;
	default:
		fault_set(&s->fault, FAULT_TEMP, 0, "4.7.5",
		    "this level cannot be proven here");
		return false;
	}
}
