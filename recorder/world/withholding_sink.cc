#include <memory>

#include "recorder/world/sinks.h"

namespace muniment {
namespace {

class WithholdingSink : public Sink {
 public:
  Outcome perform(const v1::Step& step, Facts&) override {
    Outcome outcome;
    if (const Status valid = validate_step(step); !valid) {
      outcome.detail = valid.error().message;
      return outcome;
    }
    outcome.result = v1::STEP_RESULT_WITHHELD;
    return outcome;
  }
};

}  // namespace

std::unique_ptr<Sink> make_withholding_sink() {
  return std::make_unique<WithholdingSink>();
}

}  // namespace muniment
