#include "tests/support/code_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace muniment {
namespace {

std::vector<std::string> signatures(std::string_view code) {
  std::vector<std::string> found;
  for (const Function& function : find_functions(code)) found.push_back(function.signature);
  return found;
}

TEST(CodeScan, BlanksCommentsAndNothingElse) {
  EXPECT_EQ(without_comments("a // b\nc"), "a     \nc");
  EXPECT_EQ(without_comments("a /* b\n */ c"), "a     \n    c");
  EXPECT_EQ(without_comments(R"(f("http://x", '"', "\"//") // y)"),
            R"(f("http://x", '"', "\"//")     )");
  EXPECT_EQ(without_comments("R\"(// not one)\" // one"), "R\"(// not one)\"       ");
  EXPECT_EQ(without_comments("10'000 // x"), "10'000     ");
}

TEST(CodeScan, BlanksTheInsideOfLiterals) {
  EXPECT_EQ(without_literals(R"(f("a{b", '{') + R"x(})x"))"), R"(f("   ", ' ') + R"x( )x"))");
}

TEST(CodeScan, KeepsEveryLineWhereItWas) {
  const std::string code = "a\n/*\n\n*/\nR\"(\n\n)\"\n\"x\\\ny\"\n// z\n";
  EXPECT_EQ(split_lines(without_literals(code)).size(), split_lines(code).size());
}

TEST(CodeScan, SeesIncludesAndNotThoseThatAreCommentedOut) {
  const auto includes =
      find_includes("#include <a/b.h>\n// #include \"c.h\"\n  #include \"d/e.h\"\n");
  ASSERT_EQ(includes.size(), 2U);
  EXPECT_EQ(includes[0].target, "a/b.h");
  EXPECT_FALSE(includes[0].quoted);
  EXPECT_EQ(includes[1].target, "d/e.h");
  EXPECT_TRUE(includes[1].quoted);
  EXPECT_EQ(includes[1].line, 3U);
}

TEST(CodeScan, MeasuresAFunctionFromItsSignatureToItsBrace) {
  const auto functions =
      find_functions("namespace a {\n\nint f(\n    int x) {\n  return x;\n}\n}\n");
  ASSERT_EQ(functions.size(), 1U);
  EXPECT_EQ(functions[0].signature, "int f( int x)");
  EXPECT_EQ(functions[0].line, 3U);
  EXPECT_EQ(functions[0].lines, 4U);
}

TEST(CodeScan, CountsALongFunctionWhole) {
  std::string code = "void f() {\n";
  for (int i = 0; i < 100; ++i) code += "  if (a) {\n    g({1, 2});\n  }\n";
  code += "}\n";
  const auto functions = find_functions(code);
  ASSERT_EQ(functions.size(), 1U);
  EXPECT_EQ(functions[0].lines, 302U);
}

TEST(CodeScan, TellsFunctionsFromOtherBraces) {
  EXPECT_TRUE(signatures("enum class E { a, b };\nstruct S { int x = 0; };\n").empty());
  EXPECT_TRUE(signatures("constexpr std::array k = {1, 2};\nint x{3};\n").empty());
  EXPECT_TRUE(signatures("const Table t = make({{1, 2}, {3, 4}});\n").empty());
  EXPECT_TRUE(signatures("int f(int x = {});\n").empty());
  EXPECT_EQ(signatures("struct S : B {\n public:\n  int f() const { return 1; }\n  int g();\n};\n"),
            std::vector<std::string>{"int f() const"});
  EXPECT_EQ(signatures("TEST(A, B) {\n}\nTEST(A, C) {\n}\n"),
            (std::vector<std::string>{"TEST(A, B)", "TEST(A, C)"}));
  EXPECT_EQ(signatures("template <class T>\nT f(T t) {\n  return t;\n}\n"),
            std::vector<std::string>{"template <class T> T f(T t)"});
}

TEST(CodeScan, TellsInitialisersFromABody) {
  const auto functions = find_functions(
      "A::A(int x)\n    : a_{x}, b_(x), c_{[] { return 1; }} {\n  f();\n  g();\n}\nint h() { "
      "return 1; }\n");
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].line, 1U);
  EXPECT_EQ(functions[0].lines, 5U);
  EXPECT_EQ(functions[1].signature, "int h()");
}

TEST(CodeScan, CountsALambdaToTheFunctionAroundIt) {
  const auto functions = find_functions(
      "void f() {\n  run([&](int x) {\n    if (x) {\n    }\n  });\n}\nvoid g() {\n}\n");
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].lines, 6U);
  EXPECT_EQ(functions[1].line, 7U);
}

TEST(CodeScan, IsNotMisledByBracesInLiteralsAndMacros) {
  EXPECT_EQ(signatures("#define X {\nvoid f() {\n  g(\"}\", '{');  // {\n}\nvoid h() {\n}\n"),
            (std::vector<std::string>{"void f()", "void h()"}));
}

TEST(CodeScan, MeasuresTheShareOfComments) {
  EXPECT_EQ(comment_share(""), 0);
  EXPECT_EQ(comment_share("#include <a>\n\nint x;\n"), 0);
  EXPECT_EQ(comment_share("// a\nint x;  // b\nint y;\nint z;\n"), 0.5);
}

}  // namespace
}  // namespace muniment
