/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/params.c - see params.h. */
#include "smtp/params.h"

#include "base/utf8.h"
#include "smtp/dsn.h"

#define SIZE_DIGITS_MAX	20	/* RFC 1870 sec 3 */

struct param {
	struct span	keyword, value;
	bool		has_value;
};

static bool
keyword_valid(struct span k)
{
	for (size_t i = 0; i < k.n; i++) {
		char c = ascii_lower(k.p[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
		    (c != '-' || i == 0))
			return false;
	}
	return k.n > 0;
}

/* Beyond ASCII only where SMTPUTF8 was asked for (RFC 6531 sec 3.3). */
static bool
value_valid(struct span v, uint16_t flags)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c <= ' ' || c == 0x7f || c == '=' ||
		    (c > 0x7f && (flags & ENVELOPE_SMTPUTF8) == 0))
			return false;
	}
	return v.n > 0 && utf8_valid(v);
}

/* 1 taken, 0 at the end, -1 no parameter. */
static int
param_take(struct span *rest, uint16_t flags, struct param *p)
{
	struct span word, s = *rest;

	while (s.n > 0 && s.p[0] == ' ')
		s = span_skip(s, 1);
	if (s.n == 0)
		return 0;
	if (s.n == rest->n)
		return -1;		/* <a@b>SIZE=1 */
	word = span_head(s, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ' ') {
			word = span_head(s, i);
			break;
		}
	*rest = span_skip(s, word.n);
	p->value = word;
	p->has_value = memchr(word.p, '=', word.n) != NULL;
	p->keyword = span_cut(&p->value, '=');
	if (!keyword_valid(p->keyword) ||
	    (p->has_value && !value_valid(p->value, flags)))
		return -1;
	return 1;
}

/* ---- what each one means ---- */

static enum smtp_params_error
param_size(struct smtp_mail_params *m, const struct param *p)
{
	unsigned long long n;

	if (m->has_size)
		return SMTP_PARAMS_SYNTAX;
	m->has_size = true;
	if (!p->has_value || p->value.n > SIZE_DIGITS_MAX)
		return SMTP_PARAMS_VALUE;
	for (size_t i = 0; i < p->value.n; i++)
		if (p->value.p[i] < '0' || p->value.p[i] > '9')
			return SMTP_PARAMS_VALUE;
	m->size = span_u64(p->value, UINT64_MAX, &n) ? n : UINT64_MAX;
	return SMTP_PARAMS_OK;
}

static enum smtp_params_error
param_body(struct smtp_mail_params *m, const struct param *p)
{
	if (m->has_body)
		return SMTP_PARAMS_SYNTAX;
	m->has_body = true;
	if (span_ieq(p->value, SPAN_LIT("8BITMIME")))
		m->flags |= ENVELOPE_8BIT;
	else if (!span_ieq(p->value, SPAN_LIT("7BIT")))
		return SMTP_PARAMS_VALUE;
	return SMTP_PARAMS_OK;
}

static enum smtp_params_error
param_flag(struct smtp_mail_params *m, const struct param *p, uint16_t flag)
{
	if (m->flags & flag)
		return SMTP_PARAMS_SYNTAX;
	m->flags |= flag;
	return p->has_value ? SMTP_PARAMS_VALUE : SMTP_PARAMS_OK;
}

static enum smtp_params_error
param_smtputf8(struct smtp_mail_params *m, const struct param *p)
{
	return param_flag(m, p, ENVELOPE_SMTPUTF8);
}

/* Whether the session is one for it is smtpd's to say. */
static enum smtp_params_error
param_requiretls(struct smtp_mail_params *m, const struct param *p)
{
	return param_flag(m, p, ENVELOPE_REQUIRETLS);
}

static enum smtp_params_error
param_ret(struct smtp_mail_params *m, const struct param *p)
{
	if (m->has_ret)
		return SMTP_PARAMS_SYNTAX;
	m->has_ret = true;
	if (span_ieq(p->value, SPAN_LIT("FULL")))
		m->flags |= ENVELOPE_RET_FULL;
	else if (span_ieq(p->value, SPAN_LIT("HDRS")))
		m->flags |= ENVELOPE_RET_HDRS;
	else
		return SMTP_PARAMS_VALUE;
	return SMTP_PARAMS_OK;
}

static enum smtp_params_error
param_envid(struct smtp_mail_params *m, const struct param *p)
{
	char decoded[ENVELOPE_ENVID_MAX];
	size_t n;

	if (m->envid.n > 0)
		return SMTP_PARAMS_SYNTAX;
	m->envid = p->value;
	return smtp_envid(p->value, decoded, &n) ? SMTP_PARAMS_OK :
	    SMTP_PARAMS_VALUE;
}

static enum smtp_params_error
param_notify(struct smtp_rcpt_params *r, const struct param *p,
    uint16_t flags)
{
	(void)flags;
	if (r->notify != 0)
		return SMTP_PARAMS_SYNTAX;
	return smtp_notify(p->value, &r->notify) ? SMTP_PARAMS_OK :
	    SMTP_PARAMS_VALUE;
}

static enum smtp_params_error
param_orcpt(struct smtp_rcpt_params *r, const struct param *p, uint16_t flags)
{
	struct smtp_orcpt decoded;

	if (r->orcpt.n > 0)
		return SMTP_PARAMS_SYNTAX;
	r->orcpt = p->value;
	return smtp_orcpt(p->value, (flags & ENVELOPE_SMTPUTF8) != 0,
	    &decoded) ? SMTP_PARAMS_OK : SMTP_PARAMS_VALUE;
}

static const struct {
	struct span		keyword;
	enum smtp_params_error	(*run)(struct smtp_mail_params *,
				    const struct param *);
} mail_params[] = {
	{ { "SIZE", 4 }, param_size },		/* RFC 1870 sec 4 */
	{ { "BODY", 4 }, param_body },		/* RFC 6152 sec 2 */
	{ { "RET", 3 }, param_ret },		/* RFC 3461 sec 4.3 */
	{ { "ENVID", 5 }, param_envid },	/* RFC 3461 sec 4.4 */
	{ { "SMTPUTF8", 8 }, param_smtputf8 },	/* RFC 6531 sec 3.4 */
	{ { "REQUIRETLS", 10 }, param_requiretls }, /* RFC 8689 sec 2 */
};
#define NMAIL_PARAMS	(sizeof mail_params / sizeof mail_params[0])

static const struct {
	struct span		keyword;
	enum smtp_params_error	(*run)(struct smtp_rcpt_params *,
				    const struct param *, uint16_t flags);
} rcpt_params[] = {
	{ { "NOTIFY", 6 }, param_notify },	/* RFC 3461 sec 4.1 */
	{ { "ORCPT", 5 }, param_orcpt },	/* RFC 3461 sec 4.2 */
};
#define NRCPT_PARAMS	(sizeof rcpt_params / sizeof rcpt_params[0])

enum smtp_params_error
smtp_mail_params(struct span rest, struct smtp_mail_params *m)
{
	enum smtp_params_error e;
	struct param p;
	int got;

	*m = (struct smtp_mail_params){ .envid = SPAN_NONE };
	while ((got = param_take(&rest, m->flags, &p)) == 1) {
		size_t i;

		for (i = 0; i < NMAIL_PARAMS; i++)
			if (span_ieq(p.keyword, mail_params[i].keyword))
				break;
		if (i == NMAIL_PARAMS)
			return SMTP_PARAMS_UNKNOWN;
		e = mail_params[i].run(m, &p);
		if (e != SMTP_PARAMS_OK)
			return e;
	}
	return got == 0 ? SMTP_PARAMS_OK : SMTP_PARAMS_SYNTAX;
}

enum smtp_params_error
smtp_rcpt_params(struct span rest, uint16_t flags, struct smtp_rcpt_params *r)
{
	enum smtp_params_error e;
	struct param p;
	int got;

	*r = (struct smtp_rcpt_params){ .orcpt = SPAN_NONE };
	while ((got = param_take(&rest, flags, &p)) == 1) {
		size_t i;

		for (i = 0; i < NRCPT_PARAMS; i++)
			if (span_ieq(p.keyword, rcpt_params[i].keyword))
				break;
		if (i == NRCPT_PARAMS)
			return SMTP_PARAMS_UNKNOWN;
		e = rcpt_params[i].run(r, &p, flags);
		if (e != SMTP_PARAMS_OK)
			return e;
	}
	return got == 0 ? SMTP_PARAMS_OK : SMTP_PARAMS_SYNTAX;
}
