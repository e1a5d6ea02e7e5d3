/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/schedule.c - see schedule.h. */
#include "queue/schedule.h"

uint64_t
schedule_pause(const struct schedule *s, unsigned attempts, uint32_t chance)
{
	uint64_t pause = s->first, fifth;

	for (; attempts > 1 && pause < s->max; attempts--)
		pause = pause > s->max / 2 ? s->max : pause * 2;
	if (pause > s->max)
		pause = s->max;
	fifth = pause / 5;
	return pause - fifth / 2 + (fifth > 0 ? chance % (fifth + 1) : 0);
}

uint64_t
schedule_left(const struct schedule *s, uint64_t next, uint64_t now_wall)
{
	uint64_t most = s->max + s->max / 10;

	if (next <= now_wall)
		return 0;
	return next - now_wall < most ? next - now_wall : most;
}

static uint64_t
left_of(uint64_t span, uint64_t arrived, uint64_t now_wall, uint64_t running)
{
	uint64_t age = now_wall > arrived ? now_wall - arrived : 0;
	uint64_t least = age < running ? age : running;

	return least < span ? span - least : 0;
}

uint64_t
schedule_give_up(const struct schedule *s, uint64_t arrived, uint64_t now_wall,
    uint64_t running)
{
	return left_of(s->give_up, arrived, now_wall, running);
}

uint64_t
schedule_warn(const struct schedule *s, uint64_t arrived, uint64_t now_wall,
    uint64_t running)
{
	return s->warn == 0 ? UINT64_MAX :
	    left_of(s->warn, arrived, now_wall, running);
}
