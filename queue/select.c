/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/select.c - see select.h. */
#include "queue/select.h"

static struct span
text_of(const json_t *v)
{
	return v == NULL ? SPAN_NONE :
	    span_of(json_string_value(v), json_string_length(v));
}

/* NULL when it is absent. */
static int
get_list(const json_t *request, const char *key, const json_t **list)
{
	const json_t *v;
	size_t i;

	*list = json_object_get(request, key);
	if (*list == NULL)
		return 0;
	if (!json_is_array(*list))
		return -1;
	json_array_foreach(*list, i, v)
		if (!json_is_string(v))
			return -1;
	return 0;
}

int
select_parse(struct select *s, const json_t *request)
{
	const json_t *older = json_object_get(request, "older"),
	    *reason = json_object_get(request, "reason");

	*s = (struct select){ .reason = SPAN_NONE };
	if (get_list(request, "recipients", &s->rcpts) == -1 ||
	    get_list(request, "domains", &s->domains) == -1 ||
	    get_list(request, "senders", &s->senders) == -1 ||
	    get_list(request, "sites", &s->sites) == -1 ||
	    get_list(request, "states", &s->states) == -1 ||
	    (reason != NULL && !json_is_string(reason)) ||
	    (older != NULL && (!json_is_integer(older) ||
	    json_integer_value(older) < 0)))
		return -1;
	s->reason = text_of(reason);
	s->older = older == NULL ? 0 : (uint64_t)json_integer_value(older);
	s->any = s->rcpts != NULL || s->domains != NULL || s->senders != NULL ||
	    s->sites != NULL || s->states != NULL || older != NULL ||
	    reason != NULL;
	return 0;
}

/* ---- one value ---- */

static bool
ends_with(struct span s, struct span end)
{
	return s.n >= end.n && span_ieq(span_skip(s, s.n - end.n), end);
}

static bool
domain_is(struct span domain, struct span want)
{
	if (want.n > 2 && want.p[0] == '*' && want.p[1] == '.')
		return domain.n >= want.n &&
		    ends_with(domain, span_skip(want, 1));
	return span_ieq(domain, want);
}

static bool
sender_is(struct span sender, struct span want)
{
	if (want.n > 1 && want.p[0] == '@')
		return ends_with(sender, want);
	return span_ieq(sender, want);
}

/* No list: everything. */
static bool
listed(const json_t *list, struct span s,
    bool (*is)(struct span, struct span))
{
	const json_t *v;
	size_t i;

	if (list == NULL)
		return true;
	json_array_foreach(list, i, v)
		if (is(s, text_of(v)))
			return true;
	return false;
}

static bool
contains(struct span s, struct span part)
{
	for (; s.n >= part.n; s = span_skip(s, 1)) {
		if (span_ieq(span_head(s, part.n), part))
			return true;
		if (s.n == 0)
			break;
	}
	return false;
}

/* ---- a message and its recipients ---- */

bool
select_message(const struct select *s, const struct message *m,
    uint64_t now_wall)
{
	uint64_t age = now_wall > m->arrived ? now_wall - m->arrived : 0;

	return age >= s->older &&
	    listed(s->senders, message_sender(m), sender_is);
}

bool
select_rcpt(const struct select *s, const struct rcpt *r)
{
	return rcpt_open(r) &&
	    listed(s->rcpts, rcpt_address(r), span_eq) &&
	    listed(s->domains, rcpt_domain(r), domain_is) &&
	    listed(s->sites, rcpt_site(r), span_ieq) &&
	    listed(s->states, span_str(rcpt_state_name(
	    (enum rcpt_state)r->state)), span_ieq) &&
	    contains(rcpt_reply(r), s->reason);
}
