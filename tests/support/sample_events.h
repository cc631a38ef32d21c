// Events as a host records them, numbered: the same number gives the same bytes for ever.
#ifndef MUNIMENT_TESTS_SUPPORT_SAMPLE_EVENTS_H_
#define MUNIMENT_TESTS_SUPPORT_SAMPLE_EVENTS_H_

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/digest.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::uint64_t kEventsPerRun = 40;

// A UUIDv7 in form; `kind` keeps those of events and of runs apart.
inline std::string sample_uuid(std::uint64_t number, unsigned kind) {
  const std::uint64_t high = 0x019000000000ULL + number;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%08llx-%04llx-7%03x-8000-%012llx",
                static_cast<unsigned long long>(high >> 16U),
                static_cast<unsigned long long>(high & 0xffffU), kind,
                static_cast<unsigned long long>(number));
  return text.data();
}

inline std::string sample_event_id(std::uint64_t number) {
  return sample_uuid(number, 1);
}

inline std::string sample_run_id(std::uint64_t number) {
  return sample_uuid(number / kEventsPerRun, 2);
}

inline void set_sample_envelope(v1::Event& event, std::uint64_t number) {
  event.set_event_id(sample_event_id(number));
  event.mutable_recorded_at()->set_seconds(1'750'000'000 + static_cast<std::int64_t>(number / 3));
  event.mutable_recorded_at()->set_nanos(static_cast<std::int32_t>(number % 1'000'000'000));
  event.set_boot_id("0d5ee5cc-3cb6-4d0c-a9a5-2f7c6e1d1a77");
  event.set_boottime_ns(static_cast<std::int64_t>(1'000'000 * number));
  event.set_run_id(sample_run_id(number));
  event.set_mode(number / kEventsPerRun % 2 == 0 ? v1::MODE_DRY_RUN : v1::MODE_EXECUTION);
  v1::Actor& actor = *event.mutable_actor();
  actor.set_kind(v1::ACTOR_KIND_OPERATOR);
  actor.mutable_claimed()->set_commitment(std::string(as_bytes(sha256("operator:anna"))));
  actor.mutable_user_name()->set_commitment(std::string(as_bytes(sha256("anna"))));
  actor.set_parent_executable("/usr/bin/bash");
  event.mutable_host()->set_name("rs2000");
  event.mutable_host()->set_origin("rs2000.example/muniment");
  if (number > 0) event.set_caused_by(sample_event_id(number - 1));
}

inline void set_sample_body(v1::Event& event, std::uint64_t number) {
  const std::uint64_t position = number % kEventsPerRun;
  const auto index = static_cast<std::uint32_t>(position / 4);
  if (position == 0) {
    event.mutable_run_started()->set_purpose("backup");
    event.mutable_run_started()->add_modules("forgejo");
    return;
  }
  event.set_module(number % 3 == 0 ? "forgejo" : "vaultwarden");
  if (position == kEventsPerRun - 1) {
    event.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_OK);
    event.mutable_run_finished()->set_event_count(kEventsPerRun);
  } else if (position % 4 == 1) {
    v1::PlanStepProposed& body = *event.mutable_plan_step_proposed();
    body.set_index(index);
    body.mutable_step()->set_module(event.module());
    body.mutable_step()->set_kind(v1::STEP_KIND_CAPTURE);
    body.mutable_step()->set_backup_class(v1::BACKUP_CLASS_POSTGRES);
  } else if (position % 4 == 2) {
    event.mutable_step_started()->set_index(index);
    event.mutable_step_started()->set_kind(v1::STEP_KIND_CAPTURE);
  } else if (position % 4 == 3) {
    event.mutable_step_settled()->set_index(index);
    event.mutable_step_settled()->set_kind(v1::STEP_KIND_CAPTURE);
    event.mutable_step_settled()->set_result(v1::STEP_RESULT_APPLIED);
    event.mutable_step_settled()->set_detail("pg_dump: 48 tables, 3 large objects, exit 0");
  } else {
    if (number > 2 * kEventsPerRun) event.set_about_run(sample_run_id(number - kEventsPerRun));
    event.mutable_note_added()->mutable_text()->set_commitment(std::string(32, 'n'));
  }
}

// Events come in runs of kEventsPerRun: a start, steps, notes about the run before, an end.
inline v1::Event sample_event(std::uint64_t number) {
  v1::Event event;
  set_sample_envelope(event, number);
  set_sample_body(event, number);
  return event;
}

inline Entry sample_entry(std::uint64_t number) {
  return {sample_event(number).SerializeAsString(), {}};
}

inline std::vector<Entry> sample_entries(std::uint64_t first, std::uint64_t count) {
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < count; ++i) entries.push_back(sample_entry(first + i));
  return entries;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SAMPLE_EVENTS_H_
