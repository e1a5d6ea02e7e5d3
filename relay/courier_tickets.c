/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_tickets.c - TLS sessions that go on from earlier ones. */
#include "relay/courier_priv.h"

static struct ticket_key
key_of(const struct session *s)
{
	const struct courier *c = s->courier;
	const struct job *j = s->job;

	return (struct ticket_key){ .identity = s->identity,
	    .host = s->hop.mx, .addr = s->hop.addr, .sni = s->sni,
	    .port = j->route.hosts[j->step.host].port, .asked = s->hop.asked,
	    .modern = s->strict || !c->setup.conf->tls.old_versions };
}

void
courier_on_resume(struct session *s, struct buf *to)
{
	struct courier *c = s->courier;
	const struct ticket_key key = key_of(s);

	if (!s->fresh)
		(void)tickets_take(&c->tickets, &key, loop_now(c->setup.loop),
		    to, &s->tls_since);
}

void
courier_keep_ticket(struct courier *c, struct session *s)
{
	const struct ticket_key key = key_of(s);
	struct buf data;

	if (s->kept || s->reduced || !s->client.is_tls)
		return;
	buf_init(&data, TICKET_SIZE_MAX);
	s->kept = channel_resumable(s->channel, &data) == 1;
	if (s->kept)
		tickets_put(&c->tickets, &key, buf_get(&data), s->tls_since,
		    loop_now(c->setup.loop));
	buf_wipe(&data);
}
