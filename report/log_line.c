/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_line.c - see log_line.h. */
#include "report/log_line.h"

/* "<22>", which files seldom have and sockets do. */
static void
skip_priority(struct span *s)
{
	size_t i;

	if (s->n == 0 || s->p[0] != '<')
		return;
	for (i = 1; i < s->n && i < 5; i++)
		if (s->p[i] == '>') {
			*s = span_skip(*s, i + 1);
			return;
		}
}

/* "postfix/smtp[123]: " or "exim: " */
static bool
take_tag(struct span *s, struct log_line *l)
{
	unsigned long long pid = 0;
	struct span number;
	size_t i = 0, end;

	while (i < s->n && s->p[i] != '[' && s->p[i] != ':' && s->p[i] != ' ')
		i++;
	if (i == 0 || i == s->n || s->p[i] == ' ')
		return false;
	l->program = span_head(*s, i);
	if (s->p[i] == '[') {
		for (end = i + 1; end < s->n && s->p[end] != ']'; end++)
			;
		number = span_of(s->p + i + 1, end - i - 1);
		if (end + 1 >= s->n || !span_u64(number, UINT32_MAX, &pid))
			return false;
		i = end + 1;
	}
	l->pid = pid;
	if (s->p[i] != ':')
		return false;
	*s = span_skip(*s, i + 1);
	if (s->n > 0 && s->p[0] == ' ')
		*s = span_skip(*s, 1);
	return true;
}

bool
log_line_parse(struct log_clock *c, struct span raw, struct log_line *l)
{
	enum log_time_form form;

	skip_priority(&raw);
	form = log_time_take(c, &raw, &l->time);
	if (form == LOG_TIME_NONE)
		return false;
	if (form == LOG_TIME_EXIM) {
		l->origin = SPAN_NONE;
		l->program = SPAN_LIT("exim");
		l->pid = 0;
		l->text = raw;
		return true;
	}
	l->origin = span_cut(&raw, ' ');
	if (l->origin.n == 0 || !take_tag(&raw, l))
		return false;
	l->text = raw;
	return true;
}
