/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/record.c - see record.h. */
#include "relay/record.h"

#include "base/log.h"

void
record_delivery(const struct job *j, const struct job_rcpt *r,
    const struct hop *h, uint64_t now)
{
	log_info("delivery",
	    KV_S("id", j->id),
	    KV_S("session", h->session),
	    KV_ADDR("from", j->sender),
	    KV_ADDR("to", r->address),
	    KV_SPAN("domain", job_domain(r->address)),
	    KV_S("mx", h->mx),
	    KV_S("addr", h->addr),
	    KV_S("asked", level_name(h->asked)),
	    KV_S("why", why_name(h->why)),
	    KV_S("reached", level_name(h->reached)),
	    KV_S("how", how_name(h->how)),
	    KV_S("tls", h->tls.version),
	    KV_S("cipher", h->tls.cipher),
	    KV_S("kx", h->tls.kx),
	    KV_S("spki", h->tls.spki),
	    KV_S("resumed", h->tls.resumed ? "true" : "false"),
	    KV_S("dsn", r->dsn),
	    KV_S("status", outcome_name(r->status)),
	    KV_SEC("delay", now > j->arrived ? now - j->arrived : 0),
	    KV_Q("reply", r->reply),
	    KV_S("weak", h->tls.weak));
}

void
record_probe(const struct job_rcpt *r, const struct hop *h)
{
	static const char *const found[] = {
		[OUTCOME_SENT] = "exists", [OUTCOME_DEFERRED] = "unclear",
		[OUTCOME_FAILED] = "unknown",
	};

	log_info("probe",
	    KV_S("session", h->session),
	    KV_ADDR("to", r->address),
	    KV_SPAN("domain", job_domain(r->address)),
	    KV_S("mx", h->mx),
	    KV_S("addr", h->addr),
	    KV_S("asked", level_name(h->asked)),
	    KV_S("reached", level_name(h->reached)),
	    KV_S("dsn", r->dsn),
	    KV_S("found", found[r->status]),
	    KV_Q("reply", r->reply));
}

void
record_converted(const struct job *j, const struct session *s)
{
	log_info("converted", KV_S("id", j->id), KV_S("session", s->hop.session),
	    KV_S("mx", s->hop.mx), KV_N("before", j->body.size),
	    KV_N("after", s->message.size));
}

void
record_tls_failure(const struct job *j, const struct session *s, enum how how,
    const char *reason)
{
	log_warn("tls-failed", KV_S("id", j->id),
	    KV_S("session", s->hop.session), KV_S("mx", s->hop.mx),
	    KV_S("addr", s->hop.addr), KV_S("mode",
	    ladder_mode_name(j->step.mode)), KV_S("how", how_name(how)),
	    KV_S("word", s->client.ehlo.mangled_word), KV_Q("reason", reason));
}

void
record_injection(const struct job *j, const struct session *s)
{
	log_warn("injection", KV_S("id", j->id),
	    KV_S("session", s->hop.session), KV_S("mx", s->hop.mx),
	    KV_S("addr", s->hop.addr), KV_S("step",
	    client_step_name(s->client.at)), KV_Q("reason",
	    "replies came ahead of the TLS handshake"));
}

void
record_peer_cert(const struct session *s, const char *not_after,
    const char *issuer)
{
	log_info("peer-certificate", KV_S("session", s->hop.session),
	    KV_S("mx", s->hop.mx), KV_S("addr", s->hop.addr),
	    KV_S("spki", s->hop.tls.spki), KV_S("not-after", not_after),
	    KV_Q("issuer", issuer));
}

void
record_stale_session(const struct job *j, const struct session *s,
    const char *reason)
{
	log_info("tls-resume-failed", KV_S("id", j->id),
	    KV_S("session", s->hop.session), KV_S("mx", s->hop.mx),
	    KV_S("addr", s->hop.addr), KV_Q("reason", reason));
}
