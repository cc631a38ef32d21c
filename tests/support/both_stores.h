// The two implementations of Store, for typed tests of what both must do.
#ifndef MUNIMENT_TESTS_SUPPORT_BOTH_STORES_H_
#define MUNIMENT_TESTS_SUPPORT_BOTH_STORES_H_

#include <gtest/gtest.h>

#include <memory>

#include "recorder/log/memory_log.h"
#include "recorder/log/store.h"
#include "tests/support/temp_dir.h"

namespace muniment {

struct InMemory {
  std::unique_ptr<Store> log = make_memory_log("test/muniment");
};

struct OnDisk {
  OnDisk() {
    const Status created = create_store(folder / "store", {"test/muniment", ""});
    EXPECT_TRUE(created) << created.error().message;
    Result<std::unique_ptr<Store>> opened = open_store(folder / "store", {});
    EXPECT_TRUE(opened) << opened.error().message;
    log = *std::move(opened);
  }
  TempDir folder;
  std::unique_ptr<Store> log;
};

using BothStores = testing::Types<InMemory, OnDisk>;

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_BOTH_STORES_H_
