#include "recorder/log/inbox.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "recorder/core/digest.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "tests/support/generator.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

std::string id_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, 12 - digits.size(), '0');
  return "01890000-0000-7000-8000-" + digits;
}

v1::Event note(std::uint64_t number) {
  v1::Event event;
  event.set_event_id(id_of(number));
  event.mutable_note_added()->mutable_text()->set_commitment(std::string(32, 'c'));
  return event;
}

Entry entry_of(const v1::Event& event, std::vector<std::string> blobs = {}) {
  return {event.SerializeAsString(), std::move(blobs)};
}

// A store's folder with an inbox, and a log in memory that drains it.
struct Fixture {
  Fixture() { EXPECT_TRUE(std::filesystem::create_directory(inbox)); }

  Drained drain() {
    Result<Drained> drained = drain_inbox(store.path, *log);
    EXPECT_TRUE(drained.has_value());
    return drained.value_or(Drained{});
  }
  // Puts a file there as somebody would who goes round leave_in_inbox().
  std::string plant(const std::string& name, const std::string& bytes) const {
    const std::string path = inbox + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    return path;
  }
  static std::string item(const v1::Event& event) {
    v1::InboxItem item;
    item.set_event(event.SerializeAsString());
    return item.SerializeAsString();
  }
  std::size_t files() const {
    using Files = std::filesystem::directory_iterator;
    return static_cast<std::size_t>(std::distance(Files(inbox), Files()));
  }
  // Drains what was planted: it must be refused with these words, and stay.
  void expect_refused(const std::string& name, const std::string& why) {
    const Drained drained = drain();
    EXPECT_TRUE(drained.sequences.empty());
    ASSERT_EQ(drained.refused.size(), 1U);
    EXPECT_NE(drained.refused[0].find(name + ": "), std::string::npos) << drained.refused[0];
    EXPECT_NE(drained.refused[0].find(why), std::string::npos) << drained.refused[0];
    EXPECT_EQ(files(), 1U);
  }

  TempDir store;
  std::string inbox = store / "inbox";
  std::unique_ptr<Store> log = make_memory_log("host/muniment");
};

TEST(Inbox, DeliversTheStoredBytesAndTheirBlobsInOrderOfId) {
  Fixture fixture;
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  std::set<std::uint64_t> numbers;
  while (numbers.size() < 20) numbers.insert(generator.below(1'000'000));
  std::vector<std::uint64_t> shuffled(numbers.begin(), numbers.end());
  for (std::size_t i = shuffled.size(); i > 1; --i) {
    std::swap(shuffled[i - 1], shuffled[generator.below(i)]);
  }
  for (const std::uint64_t number : shuffled) {
    const Entry entry = entry_of(note(number), {"text of " + std::to_string(number)});
    ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry).has_value());
  }
  const Drained drained = fixture.drain();
  EXPECT_TRUE(drained.refused.empty());
  ASSERT_EQ(drained.sequences.size(), numbers.size());
  std::uint64_t sequence = 0;
  for (const std::uint64_t number : numbers) {
    EXPECT_EQ(drained.sequences[sequence], sequence);
    EXPECT_EQ(read_event(*fixture.log, sequence++)->bytes, entry_of(note(number)).bytes);
    const Digest digest = sha256("text of " + std::to_string(number));
    EXPECT_TRUE(read_blob(*fixture.log, as_bytes(digest))->has_value());
  }
  EXPECT_EQ(fixture.files(), 0U);
  EXPECT_TRUE(fixture.drain().sequences.empty());
}

TEST(Inbox, TakesExactlyWhatPeopleAdd) {
  const std::set<int> allowed = {
      v1::Event::kNoteAdded,         v1::Event::kCheckRecorded,   v1::Event::kApprovalRequested,
      v1::Event::kApprovalSubmitted, v1::Event::kApprovalRevoked, v1::Event::kCandidateRecommended,
  };
  const google::protobuf::OneofDescriptor* const bodies =
      v1::Event::descriptor()->FindOneofByName("body");
  ASSERT_GT(bodies->field_count(), 30);
  for (int i = 0; i < bodies->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const body = bodies->field(i);
    SCOPED_TRACE(body->name());
    Fixture fixture;
    v1::Event event;
    event.set_event_id(id_of(7));
    v1::Event::GetReflection()->MutableMessage(&event, body);
    const bool taken = allowed.contains(body->number());
    EXPECT_EQ(leave_in_inbox(fixture.store.path, entry_of(event)).has_value(), taken);
    EXPECT_EQ(fixture.files(), taken ? 1U : 0U);
    fixture.plant(id_of(7), Fixture::item(event));
    EXPECT_EQ(fixture.drain().sequences.size(), taken ? 1U : 0U);
  }
  Fixture fixture;
  v1::Event empty;
  empty.set_event_id(id_of(1));
  EXPECT_FALSE(leave_in_inbox(fixture.store.path, entry_of(empty)).has_value());
}

TEST(Inbox, LeavesFilesThatOnlyTheirOwnerReads) {
  Fixture fixture;
  const mode_t before = ::umask(0);
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(1))).has_value());
  ::umask(before);
  struct stat facts{};
  ASSERT_EQ(::stat((fixture.inbox + "/" + id_of(1)).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_EQ(fixture.files(), 1U);
}

TEST(Inbox, TakesARetryForWhatItIs) {
  Fixture fixture;
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(1))).has_value());
  EXPECT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(1))).has_value());
  v1::Event other = note(1);
  other.set_module("forgejo");
  const Status refused = leave_in_inbox(fixture.store.path, entry_of(other));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_EQ(fixture.files(), 1U);
  // Left again after it was drained, as after a crash between the append and the removal.
  EXPECT_EQ(fixture.drain().sequences, std::vector<std::uint64_t>{0});
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(1))).has_value());
  EXPECT_EQ(fixture.drain().sequences, std::vector<std::uint64_t>{0});
  EXPECT_EQ(fixture.log->state()->size(), 1U);
}

TEST(Inbox, LeavesWhatTheLogRefusesAndTakesTheRest) {
  Fixture fixture;
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(1))).has_value());
  fixture.drain();
  v1::Event other = note(1);
  other.set_module("forgejo");
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(other)).has_value());
  ASSERT_TRUE(leave_in_inbox(fixture.store.path, entry_of(note(2))).has_value());
  const Drained drained = fixture.drain();
  EXPECT_EQ(drained.sequences, std::vector<std::uint64_t>{1});
  ASSERT_EQ(drained.refused.size(), 1U);
  EXPECT_TRUE(drained.refused[0].starts_with(id_of(1))) << drained.refused[0];
  EXPECT_EQ(fixture.files(), 1U);
}

TEST(Inbox, IgnoresWhatIsStillBeingWritten) {
  Fixture fixture;
  fixture.plant("." + id_of(3) + ".4711.tmp", "half of an it");
  const Drained drained = fixture.drain();
  EXPECT_TRUE(drained.refused.empty());
  EXPECT_TRUE(drained.sequences.empty());
}

TEST(Inbox, IsEmptyWhereThereIsNone) {
  const TempDir store;
  const auto log = make_memory_log("host/muniment");
  EXPECT_TRUE(drain_inbox(store.path, *log)->sequences.empty());
  EXPECT_TRUE(leave_in_inbox(store.path, entry_of(note(1))).has_value());
  EXPECT_EQ(drain_inbox(store.path, *log)->sequences.size(), 1U);
  const Status nowhere = leave_in_inbox(store / "no-store", entry_of(note(1)));
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
}

TEST(InboxRefuses, AnotherMode) {
  Fixture fixture;
  const std::string path = fixture.plant(id_of(1), Fixture::item(note(1)));
  for (const mode_t mode : {0640U, 0604U, 0700U, 0400U, 01600U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    if (mode == 0400 && ::geteuid() != 0) continue;
    fixture.expect_refused(id_of(1), "mode");
  }
}

TEST(InboxRefuses, AnotherOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Fixture fixture;
  const std::string path = fixture.plant(id_of(1), Fixture::item(note(1)));
  ASSERT_EQ(::chown(path.c_str(), 65'534, 65'534), 0);
  fixture.expect_refused(id_of(1), "owned by uid 65534");
}

TEST(InboxRefuses, SymbolicLinks) {
  Fixture fixture;
  std::ofstream(fixture.store / "item", std::ios::binary) << Fixture::item(note(1));
  ASSERT_EQ(::chmod((fixture.store / "item").c_str(), 0600), 0);
  std::filesystem::create_symlink("../item", fixture.inbox + "/" + id_of(1));
  fixture.expect_refused(id_of(1), "symbolic link");
}

TEST(InboxRefuses, FoldersFifosAndSockets) {
  Fixture fixture;
  const std::string path = fixture.inbox + "/" + id_of(1);
  ASSERT_TRUE(std::filesystem::create_directory(path));
  fixture.expect_refused(id_of(1), "regular file");
  std::filesystem::remove(path);
  // Opened without O_NONBLOCK it would wait for a writer for ever.
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  fixture.expect_refused(id_of(1), "regular file");
  std::filesystem::remove(path);
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  fixture.expect_refused(id_of(1), "cannot be opened");
  ::close(server);
}

TEST(InboxRefuses, ItemsThatAreTooLarge) {
  Fixture fixture;
  const std::string path = fixture.plant(id_of(1), "");
  ASSERT_EQ(::truncate(path.c_str(), (1 << 20) + 1), 0);
  fixture.expect_refused(id_of(1), "larger than 1 MiB");
  const Status left =
      leave_in_inbox(fixture.store.path, entry_of(note(2), {std::string(1 << 20, 'x')}));
  ASSERT_FALSE(left.has_value());
  EXPECT_EQ(left.error().code, ErrorCode::kInvalid);
}

TEST(InboxRefuses, NamesThatAreNotTheEventsId) {
  Fixture fixture;
  const std::string path = fixture.plant(id_of(2), Fixture::item(note(1)));
  fixture.expect_refused(id_of(2), "holds the event " + id_of(1));
  std::filesystem::remove(path);
  fixture.plant("evil\n\x1b[2J", Fixture::item(note(1)));
  fixture.expect_refused("evil\\n\\x1B[2J", "no event id");
}

TEST(InboxRefuses, EveryDamagedItemOrTakesWhatStillIsAFact) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string whole = Fixture::item(note(1));
  for (int round = 0; round < 200; ++round) {
    Fixture fixture;
    std::string bytes = whole.substr(0, generator.between(0, whole.size()));
    if (!bytes.empty()) bytes[generator.below(bytes.size())] = generator.bytes(1)[0];
    fixture.plant(id_of(1), bytes);
    const Drained drained = fixture.drain();
    ASSERT_EQ(drained.sequences.size() + drained.refused.size(), 1U);
    EXPECT_EQ(fixture.files(), drained.refused.size());
    if (!drained.sequences.empty()) {
      EXPECT_EQ(read_event(*fixture.log, 0)->event.event_id(), id_of(1));
    }
  }
}

}  // namespace
}  // namespace muniment
