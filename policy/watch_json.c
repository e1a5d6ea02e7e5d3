/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch_json.c - what is remembered, for `sealane peer` and `explain`. */
#include <jansson.h>

#include "base/clock.h"
#include "policy/watch.h"

static json_t *
time_json(uint64_t s)
{
	char text[CLOCK_RFC3339_SIZE];

	if (s == 0)
		return json_null();
	clock_rfc3339(s * 1000, false, text);
	return json_string(text);
}

static json_t *
versions_json(unsigned versions)
{
	json_t *list = json_array();

	for (int n = 0; n < 8; n++)
		if (versions & 1u << n)
			(void)json_array_append_new(list,
			    json_sprintf("TLS1.%d", n));
	return list;
}

static json_t *
peer_json(const struct peer *p, const struct peer_rules *rules, uint64_t now)
{
	if (p->first == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:i, s:i, s:o, s:s?, s:b}",
	    "first", time_json(p->first), "last", time_json(p->last),
	    "sessions", (int)p->sessions, "days", (int)p->days,
	    "versions", versions_json(p->versions),
	    "spki", p->spki[0] != '\0' ? p->spki : NULL,
	    "tls_expected", peer_expects(p, rules, now));
}

static json_t *
loss_json(const struct loss *l, const struct peer_rules *rules, uint64_t now)
{
	bool holds = rules->on_loss == LOSS_HOLD;

	if (l->since == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:b, s:o}", "since", time_json(l->since),
	    "last", time_json(l->last),
	    "accepted", holds && loss_accepted(l, rules, now),
	    "held_until", holds ? time_json(l->since + rules->hold_for) :
	    json_null());
}

json_t *
exception_json(const struct exception *x)
{
	return json_pack("{s:s, s:o, s:o, s:s}", "name", x->name,
	    "made", time_json(x->made), "until", time_json(x->until),
	    "why", x->why);
}

json_t *
watch_json(struct watch *w, const char *host, const char *domain)
{
	const struct peer_rules *rules = memory_rules(w->memory);
	uint64_t now = w->wall_s(w->ctx);
	struct watch_known k;

	if (watch_look_up(w, host, domain, now, &k) == -1)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:s}",
	    "host", peer_json(&k.host, rules, now),
	    "domain", peer_json(&k.domain, rules, now),
	    "loss", loss_json(&k.loss, rules, now),
	    "asks", recall_name(k.recall));
}
